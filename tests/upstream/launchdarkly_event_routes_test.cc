// Which source's events go where, and what of them is in nobody's way.
#include <map>

#include "tests/upstream/launchdarkly_forwarder_fixture.h"

namespace flagstone::upstream {
namespace {

TEST_F(EventForwarderTest, TheCredentialFollowsItsFile) {
  answer(401);
  fakes::write_file(folder.path("key"), "sdk-1");
  config::Source source;
  source.uri = server.url("");
  source.credential.file = folder.path("key");
  options.sources.push_back(source);
  start();
  post(events(summary(1)));
  ASSERT_TRUE(wait([&] { return forwarder->facts().send_failures > 0; }));
  fakes::replace_file(folder.path("key"), "sdk-2");
  ASSERT_TRUE(wait([&] { return server.requests().back().header("authorization") == "sdk-2"; }));
  answer(202);
  EXPECT_EQ(server.requests().front().header("authorization"), "sdk-1");
  ASSERT_TRUE(wait([&] { return forwarder->facts().batches_waiting == 0; }));
  // Apps that still know the old key alone are heard.
  post(events(summary(2)));
  ASSERT_TRUE(wait([&] { return arrived().back() == summary(2); }));
}

TEST_F(EventForwarderTest, EachSourceGetsItsOwnEvents) {
  options.sources.resize(3);
  options.sources[0].uri = "file:flags.json";
  options.sources[0].path = "flags.json";
  options.sources[1].uri = server.url("/one");
  options.sources[1].credential.text = config::Secret("sdk-1");
  options.sources[2].uri = server.url("/two");
  options.sources[2].credential.text = config::Secret("sdk-2");
  start();
  PostedEvents second = events(summary(2));
  second.credential = "sdk-2";
  post(std::move(second));
  PostedEvents other = events(summary(1));
  other.credential = "an app's";
  post(std::move(other));
  ASSERT_TRUE(wait([&] { return forwarder->facts().sent == 2; }));
  std::map<std::string, std::string> keys;
  for (const auto& request : server.requests()) {
    keys[request.target] = request.header("authorization");
  }
  EXPECT_EQ(keys["/one/bulk"], "sdk-1");
  EXPECT_EQ(keys["/two/bulk"], "sdk-2");
}

// Who let them in may have seen a key that is not known here yet, or not any more.
TEST_F(EventForwarderTest, WhoLetThemInSaysWhoseTheyAre) {
  options.sources.resize(3);
  options.sources[0].uri = "file:flags.json";
  options.sources[0].path = "flags.json";
  for (std::size_t i : {1U, 2U}) {
    options.sources[i].uri = server.url("/" + std::to_string(i));
    options.sources[i].credential.text = config::Secret("sdk-" + std::to_string(i));
  }
  start();
  struct Row {
    std::optional<std::size_t> source;
    std::string credential;
    std::string target;
  };
  const std::vector<Row> rows = {
      {2, "new", "/2/bulk"},
      {1, "new", "/1/bulk"},
      {std::nullopt, "new", "/1/bulk"},
      {2, "sdk-1", "/2/bulk"},
      {0, "sdk-2", "/2/bulk"},  // A file takes none.
      {7, "sdk-2", "/2/bulk"},
      {std::nullopt, "sdk-2", "/2/bulk"},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    PostedEvents posted = events(summary(1));
    posted.source = rows[i].source;
    posted.credential = rows[i].credential;
    post(std::move(posted));
    ASSERT_TRUE(wait([&] { return forwarder->facts().sent == i + 1; }));
    EXPECT_EQ(server.requests().back().target, rows[i].target) << i;
  }
}

// Neither a source whose key is refused nor a batch that upstream does not like is in the way.
TEST_F(EventForwarderTest, WhatIsNotTakenHoldsUpNothingElse) {
  options.sources.resize(2);
  options.sources[0].uri = server.url("/0");
  options.sources[0].credential.text = config::Secret("sdk-0");
  options.sources[1].uri = server.url("/1");
  options.sources[1].credential.text = config::Secret("sdk-1");
  denied_key = "sdk-0";
  retry_after = "3600";
  start();
  PostedEvents denied = events(summary(1));
  denied.credential = "sdk-0";
  post(std::move(denied));
  ASSERT_TRUE(wait([&] { return forwarder->facts().send_failures == 1; }));
  post(events(summary(2)));
  ASSERT_TRUE(wait([&] { return arrived().size() == 1; }));
  EXPECT_EQ(arrived().back(), summary(2));
  retry_after.clear();
  refused_text = "bad";
  post(events(R"([{"kind":"custom","key":"bad"}])"));
  ASSERT_TRUE(wait([&] { return forwarder->facts().send_failures >= 2; }));
  post(events(summary(3)));
  ASSERT_TRUE(wait([&] { return arrived().size() == 2; }));
  EXPECT_EQ(arrived().back(), summary(3));
  EXPECT_TRUE(wait([&] { return forwarder->facts().batches_waiting == 2; }));
}

// The first source goes and the second takes its place in the list: its events are still its own,
// and the other's are nobody's while two are there.
TEST_F(EventForwarderTest, EventsFollowTheirSourceAndNotItsPlace) {
  answer(503);
  retry_after = "3600";  // Nothing is under way when the first process ends.
  options.sources.resize(3);
  for (std::size_t i = 0; i < 3; ++i) {
    options.sources[i].uri = server.url("/" + std::to_string(i));
    options.sources[i].credential.text = config::Secret("sdk-" + std::to_string(i));
  }
  start();
  for (int i = 0; i < 3; ++i) {
    PostedEvents posted = events(summary(i + 1));
    posted.credential = "sdk-" + std::to_string(i);
    post(std::move(posted));
  }
  ASSERT_TRUE(wait([&] { return forwarder->facts().send_failures == 3; }));
  forwarder.reset();
  options.sources.erase(options.sources.begin());
  std::swap(options.sources[0], options.sources[1]);
  answer(202);
  start();
  ASSERT_TRUE(wait([&] { return forwarder->facts().sent == 2; }));
  ASSERT_TRUE(wait([&] { return forwarder->facts().batches_waiting == 0; }));
  std::map<std::string, std::string> keys;
  for (const auto& request : taken) keys[request.target] = request.header("authorization");
  EXPECT_EQ(keys, (std::map<std::string, std::string>{{"/1/bulk", "sdk-1"}, {"/2/bulk", "sdk-2"}}));
  EXPECT_EQ(forwarder->facts().dropped[static_cast<std::size_t>(DropReason::kOffline)], 1U);
}

}  // namespace
}  // namespace flagstone::upstream
