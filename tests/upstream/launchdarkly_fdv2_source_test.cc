// FDv2 streamed, what it leads to where it is not known, and polling beside and instead of it.
#include "tests/upstream/launchdarkly_fixture.h"

namespace flagstone::upstream {
namespace {

using fakes::Reply;
using fakes::ServedRequest;
using Strings = std::vector<std::string>;

class LaunchDarklyFdv2SourceTest : public LaunchDarklyFixture {
 protected:
  LaunchDarklyFdv2SourceTest() {
    options.launchdarkly.protocol = config::LaunchDarklyProtocol::kAuto;
  }

  static Reply poll(const std::string& body, const std::string& etag = "") {
    return {.headers = {{"ETag", etag}}, .body = body};
  }
};

TEST_F(LaunchDarklyFdv2SourceTest, ATransferThenChanges) {
  start();
  intent("xfer-full");
  put_object("a", 5);
  put_object("b", 1);
  loop.run_for(20);
  EXPECT_TRUE(listener.updates.empty()) << "it counts as a whole";
  transferred("one");
  ASSERT_TRUE(updates(1));
  EXPECT_EQ(update(0), "full a@5 b@1");
  put_object("a", 2);
  feed.event("delete-object", R"({"version":2,"kind":"flag","key":"b"})");
  transferred("two");
  ASSERT_TRUE(updates(2));
  EXPECT_EQ(update(1), "delta a@2 b@2-");
  EXPECT_TRUE(listener.updates[1].in_order) << "versions may go back";
  EXPECT_EQ(targets(), Strings{"/sdk/stream"});
}

TEST_F(LaunchDarklyFdv2SourceTest, ARestartAsksForWhatChanged) {
  start();
  transfer("xfer-full", "(p:x:1)\\n");
  ASSERT_TRUE(updates(1));
  const std::string cursor = listener.updates[0].cursor;
  source->stop();
  make(cursor);
  ASSERT_TRUE(streams(2));
  intent("none");
  ASSERT_TRUE(loop.run_until([&] { return listener.unchanged == 1; }));
  put_object("a", 1);
  transferred("next");
  ASSERT_TRUE(updates(2));
  EXPECT_EQ(update(1), "delta a@1");
  feed.event("goodbye", R"({"reason":"moving","silent":true,"catastrophe":false})");
  ASSERT_TRUE(streams(3));
  transfer("xfer-changes", "last");
  ASSERT_TRUE(updates(3));
  EXPECT_EQ(targets(), (Strings{"/sdk/stream", "/sdk/stream?basis=%28p%3Ax%3A1%29%0A",
                                "/sdk/stream?basis=next"}));
  EXPECT_TRUE(listener.failures.empty());
}

TEST_F(LaunchDarklyFdv2SourceTest, WhatAnErrorInterruptsIsForgotten) {
  start();
  intent("xfer-full");
  put_object("a", 1);
  feed.event("error", R"({"payloadId":"p","reason":"r"})");
  put_object("b", 1);
  transferred("x");
  ASSERT_TRUE(updates(1));
  EXPECT_EQ(update(0), "full b@1");
  EXPECT_EQ(targets().size(), 1U);
}

TEST_F(LaunchDarklyFdv2SourceTest, WhatMakesNoSenseIsDiscardedAndEverythingAskedFor) {
  start();
  transfer("xfer-full", "good");
  ASSERT_TRUE(updates(1));
  feed.event("put-object", "{");
  ASSERT_TRUE(fails(1));
  EXPECT_TRUE(failure(0).starts_with("malformed: ")) << failure(0);
  ASSERT_TRUE(streams(2));
  EXPECT_EQ(targets()[1], "/sdk/stream") << "the basis may be what is wrong";
  intent("xfer-changes");
  ASSERT_TRUE(fails(2));
  ASSERT_TRUE(streams(3));
  EXPECT_TRUE(failure(1).contains("never sent")) << failure(1);
  transfer("xfer-full", "again");
  ASSERT_TRUE(updates(2));
}

TEST_F(LaunchDarklyFdv2SourceTest, WhatWasRefusedIsAskedForWithoutBasis) {
  start();
  transfer("xfer-full", "one");
  ASSERT_TRUE(updates(1));
  outcome = Outcome::kRefused;
  put_object("a", 1);
  transferred("two");
  ASSERT_TRUE(updates(2));
  ASSERT_TRUE(asks(2));
  EXPECT_EQ(targets()[1], "/sdk/stream");
}

TEST_F(LaunchDarklyFdv2SourceTest, ChangesThatComeWhileOthersAreInWorkBecomeOneUpdate) {
  outcome.reset();
  start();
  transfer("xfer-full", "one");
  ASSERT_TRUE(updates(1));
  put_object("a", 3);
  transferred("two");
  put_object("a", 2);
  transferred("three");
  loop.run_for(50);
  source->settle(Outcome::kAccepted);
  ASSERT_TRUE(updates(2));
  EXPECT_EQ(update(1), "delta a@3 a@2");
  EXPECT_TRUE(listener.updates[1].cursor.ends_with("three"));
}

TEST_F(LaunchDarklyFdv2SourceTest, WhereItIsNotKnownFdv1IsSpokenAtOnce) {
  for (const int status : {404, 405}) {
    listener.updates.clear();
    patience.backoff.base = std::chrono::hours(1);  // No wait may come between.
    start([status](const std::string& path, const ServedRequest&) -> std::optional<Reply> {
      if (path == "/sdk/stream") return Reply{.status = status};
      return std::nullopt;
    });
    put(flags("a", 1));
    ASSERT_TRUE(updates(1));
    EXPECT_EQ(targets(), (Strings{"/sdk/stream", "/all"}));
    EXPECT_TRUE(listener.failures.empty());
    source->stop();
  }
}

TEST_F(LaunchDarklyFdv2SourceTest, NotWhenItIsAskedForByName) {
  options.launchdarkly.protocol = config::LaunchDarklyProtocol::kFdv2;
  start([](const auto&, const auto&) { return Reply{.status = 404}; });
  ASSERT_TRUE(fails(1));
  EXPECT_TRUE(failure(0).starts_with("not_found: ")) << failure(0);
  EXPECT_EQ(targets(), Strings{"/sdk/stream"});
}

TEST_F(LaunchDarklyFdv2SourceTest, AFilterGoesWithEveryRequestOfEitherProtocol) {
  options.launchdarkly.filter = "a b";
  for (const bool known : {true, false}) {
    listener.updates.clear();
    start([known](const std::string& path, const ServedRequest&) -> std::optional<Reply> {
      return known || path != "/sdk/stream" ? std::nullopt : std::optional(Reply{.status = 404});
    });
    known ? transfer("xfer-full", "one") : put(flags("a", 1));
    ASSERT_TRUE(updates(1));
    EXPECT_EQ(targets(), known ? Strings{"/sdk/stream?filter=a%20b"}
                               : (Strings{"/sdk/stream?filter=a%20b", "/all?filter=a%20b"}));
    EXPECT_TRUE(listener.failures.empty());
    source->stop();
  }
}

TEST_F(LaunchDarklyFdv2SourceTest, AFilterGoesWithTheBasis) {
  options.launchdarkly.filter = "f";
  options.launchdarkly.protocol = config::LaunchDarklyProtocol::kFdv2;
  start();
  transfer("xfer-full", "one");
  ASSERT_TRUE(updates(1));
  const std::string cursor = listener.updates[0].cursor;
  source->stop();
  make(cursor);
  ASSERT_TRUE(streams(2));
  source->stop();
  options.launchdarkly.streaming = false;
  make(cursor);
  ASSERT_TRUE(asks(3));
  EXPECT_EQ(targets(), (Strings{"/sdk/stream?filter=f", "/sdk/stream?basis=one&filter=f",
                                "/sdk/poll?basis=one&filter=f"}));
}

TEST_F(LaunchDarklyFdv2SourceTest, TheWordToLeaveItMeansPollsOfFdv1ForAsLongAsItSays) {
  patience.fallback.least = milliseconds(1);
  std::atomic<bool> leaves = true;
  start([&](const std::string& path, const ServedRequest&) -> std::optional<Reply> {
    if (path == "/sdk/latest-all") return poll(data(flags("a", 1)), "e");
    if (!leaves) return std::nullopt;
    return Reply{.status = 503,
                 .headers = {{"X-LD-FD-Fallback", "true"}, {"X-LD-FD-Fallback-TTL", "1"}}};
  });
  ASSERT_TRUE(updates(1));
  EXPECT_EQ(update(0), "full a@1");
  EXPECT_EQ(targets()[1], "/sdk/latest-all");
  EXPECT_EQ(source->kind(), SourceKind::kPoll);
  EXPECT_EQ(source->interval(), milliseconds(5));
  EXPECT_EQ(listener.degraded.size(), 1U);
  leaves = false;
  transfer("xfer-full", "b", 1, "x");
  ASSERT_TRUE(updates(2));
  EXPECT_EQ(update(1), "full b@1");
  EXPECT_EQ(source->kind(), SourceKind::kStream);
  EXPECT_TRUE(listener.failures.empty());
}

TEST_F(LaunchDarklyFdv2SourceTest, WhatComesWithTheWordToLeaveIsTakenFirst) {
  start([&](const std::string& path, const ServedRequest&) -> std::optional<Reply> {
    if (path == "/sdk/latest-all") return poll(data(flags("b", 1)));
    return stream_with_the_word_to_leave("0");
  });
  transfer("xfer-full", "a", 1, "x");
  ASSERT_TRUE(updates(2));
  EXPECT_EQ(update(0), "full a@1");
  EXPECT_EQ(update(1), "full b@1");
  EXPECT_EQ(targets()[0], "/sdk/stream");
  EXPECT_EQ(targets()[1], "/sdk/latest-all");
}

TEST_F(LaunchDarklyFdv2SourceTest, AStreamThatFailsIsMadeUpForByPolls) {
  std::atomic<bool> streams = false;
  patience.stream = milliseconds(300);
  start([&](const std::string& path, const ServedRequest&) -> std::optional<Reply> {
    if (path == "/sdk/poll") {
      return poll(
          R"({"events":[{"event":"server-intent","data":{"payloads":[{"intentCode":"xfer-full"}]}},
        {"event":"put-object","data":{"kind":"flag","key":"a","version":1,"object":{"version":1}}},
        {"event":"payload-transferred","data":{"state":"polled","version":1}}]})");
    }
    if (streams) return std::nullopt;
    return Reply{.status = 503};
  });
  ASSERT_TRUE(fails(1));
  ASSERT_TRUE(updates(1));
  EXPECT_EQ(update(0), "full a@1");
  EXPECT_EQ(source->kind(), SourceKind::kPoll);
  const std::size_t failures = listener.failures.size();
  loop.run_for(30);
  EXPECT_EQ(listener.failures.size(), failures) << "the polls count";
  streams = true;
  transfer("xfer-changes", "a", 2, "streamed");
  ASSERT_TRUE(loop.run_until([&] { return source->kind() == SourceKind::kStream; }));
  ASSERT_TRUE(loop.run_until([&] { return update(listener.updates.size() - 1) == "delta a@2"; }));
  loop.run_for(50);  // The server has read what was under way when it ended.
  const std::size_t asked = targets().size();
  loop.run_for(50);
  EXPECT_EQ(targets().size(), asked) << "polling has ended";
}

TEST_F(LaunchDarklyFdv2SourceTest, PollsAlone) {
  options.launchdarkly.streaming = false;
  start([](const std::string& path, const ServedRequest& request) -> std::optional<Reply> {
    if (path != "/sdk/poll") return std::nullopt;
    if (request.header("if-none-match") == "e1") return Reply{.status = 304};
    if (request.target == "/sdk/poll?basis=one") {
      return poll(
          R"({"events":[{"event":"server-intent","data":{"payloads":[{"intentCode":"none"}]}}]})",
          "e1");
    }
    return poll(
        R"({"events":[{"event":"server-intent","data":{"payloads":[{"intentCode":"xfer-full"}]}},
        {"event":"payload-transferred","data":{"state":"one","version":1}}]})");
  });
  ASSERT_TRUE(loop.run_until([&] { return listener.unchanged >= 3; }));
  EXPECT_EQ(listener.updates.size(), 1U);
  EXPECT_EQ(source->kind(), SourceKind::kPoll);
  EXPECT_EQ(targets()[0], "/sdk/poll");
  EXPECT_EQ(targets()[1], "/sdk/poll?basis=one");
  EXPECT_EQ(server->requests()[2].header("if-none-match"), "e1");
  EXPECT_TRUE(listener.failures.empty());
}

TEST_F(LaunchDarklyFdv2SourceTest, PollsThatAreWrong) {
  options.launchdarkly.streaming = false;
  for (const std::string body : {R"({"events":[]})", R"({"events":[)", R"([])",
                                 R"({"events":[{"event":"put-object","data":{}}]})"}) {
    listener.failures.clear();
    start([&](const auto&, const auto&) { return poll(body); });
    ASSERT_TRUE(fails(1));
    EXPECT_TRUE(failure(0).starts_with("malformed: ")) << failure(0);
    source->stop();
  }
}

TEST_F(LaunchDarklyFdv2SourceTest, PollsOfFdv1WhereItIsNotKnown) {
  options.launchdarkly.streaming = false;
  const auto answer = [](const std::string& path,
                         const ServedRequest& request) -> std::optional<Reply> {
    if (path != "/sdk/latest-all") return std::nullopt;
    if (request.header("if-none-match") == "e") return Reply{.status = 304};
    return poll(data(flags("a", 1)), "e");
  };
  start(answer);
  ASSERT_TRUE(loop.run_until([&] { return listener.unchanged >= 1; }));
  EXPECT_EQ(update(0), "full a@1");
  EXPECT_EQ(targets()[0], "/sdk/poll");
  EXPECT_EQ(targets()[1], "/sdk/latest-all");
  EXPECT_EQ(server->requests()[2].header("if-none-match"), "e");
  const std::string cursor = listener.updates[0].cursor;
  source->stop();

  serve(answer);  // Another run: nothing comes twice.
  listener.unchanged = 0;
  make(cursor);
  ASSERT_TRUE(loop.run_until([&] { return listener.unchanged >= 1; }));
  EXPECT_EQ(listener.updates.size(), 1U);
  EXPECT_EQ(targets()[0], "/sdk/poll");
  EXPECT_EQ(server->requests()[1].header("if-none-match"), "e");
}

TEST_F(LaunchDarklyFdv2SourceTest, AnotherKeyAsksForEverything) {
  const std::string key = key_file("old");
  start();
  transfer("xfer-full", "one");
  ASSERT_TRUE(updates(1));
  fakes::replace_file(key, "new");
  ASSERT_TRUE(asks(2));
  EXPECT_EQ(server->requests()[1].target, "/sdk/stream");
  EXPECT_EQ(server->requests()[1].header("authorization"), "new");
}

TEST_F(LaunchDarklyFdv2SourceTest, AFailureNamesTheProxyItMayBeOf) {
  serve();
  options.proxy = "http://127.0.0.1:1";
  options.uri = "http://relay.example:8030";
  make();
  ASSERT_TRUE(fails(1));
  EXPECT_TRUE(failure(0).contains(" (through the proxy 127.0.0.1:1); trying again")) << failure(0);
}

TEST_F(LaunchDarklyFdv2SourceTest, ThroughAProxy) {
  serve([&](const auto&, const auto&) { return feed.reply(); });
  options.proxy = options.uri;
  options.uri = "http://relay.example:8030/base/";
  make();
  transfer("xfer-full", "one");
  ASSERT_TRUE(updates(1));
  EXPECT_EQ(targets()[0], "http://relay.example:8030/base/sdk/stream");
}

}  // namespace
}  // namespace flagstone::upstream
