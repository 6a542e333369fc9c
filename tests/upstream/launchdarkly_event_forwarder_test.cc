#include "upstream/launchdarkly_event_forwarder.h"

#include "net/rpc/gzip.h"
#include "tests/upstream/launchdarkly_forwarder_fixture.h"
#include "upstream/launchdarkly_endpoints.h"

namespace flagstone::upstream {
namespace {

TEST_F(EventForwarderTest, PostsAndOwnEventsGoOutInOneRequest) {
  options.events.flush_interval = milliseconds(300);
  options.sources.resize(1);
  options.sources[0].uri = server.url("/base/");
  options.sources[0].credential.text = config::Secret("sdk-1");
  options.sources[0].launchdarkly.wrapper = "wrap/1";
  options.sources[0].launchdarkly.tags = {{"application-id", "a"}};
  start();
  post(events(summary(1)));
  PostedEvents zipped = events(net::gzip(summary(2)));
  zipped.is_gzip = true;
  post(std::move(zipped));
  EXPECT_TRUE(forwarder->add("4", "", summary(4)));
  ASSERT_TRUE(wait([&] { return all_answered() && forwarder->facts().sent == 1; }));
  EXPECT_EQ(results, std::vector(2, PostResult::kTaken));
  EXPECT_EQ(arrived(), std::vector<std::string>{summary(7)});
  EXPECT_FALSE(disk.folder->shrinkable.expired()) << "who needs the folder's room asks for it";
  const fakes::ServedRequest request = server.requests().at(0);
  EXPECT_EQ(request.target, "/base/bulk");
  EXPECT_EQ(request.header("authorization"), "sdk-1");
  EXPECT_EQ(request.header("content-type"), "application/json");
  EXPECT_EQ(request.header("content-encoding"), "gzip");
  EXPECT_EQ(request.header("x-launchdarkly-event-schema"), "4");
  EXPECT_EQ(request.header("x-launchdarkly-payload-id").size(), 36U);
  EXPECT_EQ(request.header("x-launchdarkly-tags"), "application-id/a");
  EXPECT_EQ(request.header("x-launchdarkly-wrapper"), "wrap/1");
  EXPECT_EQ(request.header("user-agent"), "flagstone/test");
  const EventFacts facts = forwarder->facts();
  EXPECT_EQ(facts.received, 3U);
  EXPECT_EQ(facts.merged_away, 2U);
  EXPECT_EQ(facts.requests, 1U);
  EXPECT_EQ(facts.batches_waiting, 0U);
  EXPECT_EQ(facts.spool_bytes, 0U);
  EXPECT_EQ(forwarder->vendor_unix_ms() / 100'000, 1'770'112'800'000 / 100'000);
}

// PHP's SDK leaves it to upstream to add them up; also across a restart.
TEST_F(EventForwarderTest, WhatIsNotSummarizedIsSaidToBe) {
  answer(503);
  start();
  PostedEvents posted = events(R"([{"kind":"feature","key":"f"}])");
  posted.is_unsummarized = true;
  post(std::move(posted));
  ASSERT_TRUE(wait([&] { return all_answered(); }));
  start();
  post(events(R"([{"kind":"feature","key":"f"}])"));
  answer(202);
  ASSERT_TRUE(wait([&] { return arrived().size() == 2; }));
  std::multiset<std::string> said;
  for (const auto& request : taken) said.insert(request.header("x-launchdarkly-unsummarized"));
  EXPECT_EQ(said, (std::multiset<std::string>{"", "true"}));
}

TEST_F(EventForwarderTest, ConfiguredHeadersGoAlong) {
  options.sources.resize(1);
  options.sources[0].uri = server.url("");
  options.sources[0].credential.text = config::Secret("sdk-1");
  fakes::write_file(folder.path("token"), "t-1");
  options.sources[0].headers.resize(1);
  options.sources[0].headers[0].name = "X-Gateway";
  options.sources[0].headers[0].value.file = folder.path("token");
  start();
  post(events(summary(1)));
  ASSERT_TRUE(wait([&] { return arrived().size() == 1; }));
  EXPECT_EQ(server.requests().at(0).header("x-gateway"), "t-1");
}

// A reload with the right key does not wait for what the wrong one taught.
TEST_F(EventForwarderTest, AReloadTriesAtOnce) {
  answer(401);
  retry_after = "3600";
  start();
  post(events(summary(1)));
  ASSERT_TRUE(wait([&] { return forwarder->facts().send_failures == 1; }));
  answer(202);
  options.sources[0].credential.text = config::Secret("sdk-2");
  forwarder->set_options(options);
  ASSERT_TRUE(wait([&] { return arrived().size() == 1; }));
  EXPECT_EQ(server.requests().back().header("authorization"), "sdk-2");
}

TEST_F(EventForwarderTest, DiagnosticsGoToTheirOwnPlace) {
  start();
  PostedEvents diagnostic = events(R"({"kind":"diagnostic"})");
  diagnostic.kind = PostedEvents::Kind::kDiagnostic;
  post(std::move(diagnostic));
  ASSERT_TRUE(wait([&] { return forwarder->facts().sent == 1; }));
  EXPECT_EQ(server.requests().at(0).target, "/diagnostic");
  EXPECT_EQ(server.requests().at(0).header("x-launchdarkly-payload-id").size(), 36U);
  EXPECT_EQ(arrived(), std::vector<std::string>{R"({"kind":"diagnostic"})"});
}

TEST_F(EventForwarderTest, WhatUpstreamDoesNotTakeIsKeptAndSentAgainWithTheSameId) {
  for (const int refusal : {401, 403, 404, 408, 429, 500, 503}) {
    answer(refusal);
    if (!forwarder) start();
    const std::size_t before = seen();
    const std::uint64_t sent = forwarder->facts().sent;
    post(events(summary(refusal)));
    ASSERT_TRUE(wait([&] { return seen() >= before + 3; })) << refusal;
    EXPECT_EQ(forwarder->facts().batches_waiting, 1U);
    answer(202);
    ASSERT_TRUE(wait([&] { return forwarder->facts().sent == sent + 1; })) << refusal;
    const auto requests = server.requests();
    for (std::size_t i = before + 1; i < requests.size(); ++i) {
      EXPECT_EQ(requests[i].header("x-launchdarkly-payload-id"),
                requests[before].header("x-launchdarkly-payload-id"));
    }
    EXPECT_EQ(arrived().back(), summary(refusal));
  }
  EXPECT_EQ(warnings.size(), 7U);  // Each once, though tried thrice or more.
  EXPECT_EQ(notes.size(), 7U);
  EXPECT_TRUE(std::ranges::all_of(results, [](auto r) { return r == PostResult::kTaken; }));
}

// A gateway may say 400 of everything, for a while; what is still refused after that is halved
// until the one event that is meant stands alone.
TEST_F(EventForwarderTest, WhatUpstreamCallsMalformedIsDroppedInTheEnd) {
  refused_text = "bad";
  start();
  post(events(R"([{"kind":"custom","key":"good"},{"kind":"custom","key":"bad"}])"));
  ASSERT_TRUE(wait([&] { return forwarder->facts().send_failures >= 3; }));
  const auto dropped = [&] {
    return forwarder->facts().dropped[static_cast<std::size_t>(DropReason::kRefused)];
  };
  EXPECT_EQ(forwarder->facts().batches_waiting, 1U);
  EXPECT_EQ(dropped(), 0U);
  clock.ahead = launchdarkly::RefusedBatches::kPatience;
  ASSERT_TRUE(wait([&] { return dropped() == 1; }));
  ASSERT_TRUE(wait([&] { return forwarder->facts().batches_waiting == 0; }));
  EXPECT_EQ(forwarder->facts().sent, 1U);
}

TEST_F(EventForwarderTest, NobodyThereAndBackAgain) {
  config::Source source;
  source.uri = "http://127.0.0.1:1";
  source.credential.text = config::Secret("sdk-1");
  options.sources.push_back(source);
  start();
  post(events(summary(1)));
  post(events(R"([{"kind":"custom"}])"));
  ASSERT_TRUE(wait([&] { return all_answered() && forwarder->facts().send_failures > 1; }));
  forwarder.reset();
  // The next process finds them.
  options.sources.clear();
  start();
  ASSERT_TRUE(wait([&] { return forwarder->facts().batches_waiting == 0 && seen() > 0; }));
  std::string all;
  for (const std::string& text : arrived()) all += text;
  EXPECT_NE(all.find(R"("count":1)"), std::string::npos);
  EXPECT_NE(all.find("custom"), std::string::npos);
}

TEST_F(EventForwarderTest, WhatWaitsHasItsAgeAndWhyItWaits) {
  start();
  EXPECT_FALSE(forwarder->facts().oldest_age_ms);
  EXPECT_EQ(forwarder->facts().send_problem, "");
  answer(503);
  retry_after = "3600";
  post(events(summary(1)));
  ASSERT_TRUE(wait([&] { return forwarder->facts().send_failures == 1; }));
  ASSERT_TRUE(forwarder->facts().oldest_age_ms);
  const std::int64_t age_ms = *forwarder->facts().oldest_age_ms;
  loop.run_for(20);
  post(events(summary(2)));
  ASSERT_TRUE(wait([&] { return forwarder->facts().batches_waiting == 2; }));
  EXPECT_GE(*forwarder->facts().oldest_age_ms, age_ms + 20) << "of the oldest";
  EXPECT_EQ(forwarder->facts().send_problem, server.url("") + ": status 503");
  answer(202);
  forwarder->try_now();
  ASSERT_TRUE(wait([&] { return forwarder->facts().batches_waiting == 0; }));
  EXPECT_FALSE(forwarder->facts().oldest_age_ms);
  EXPECT_EQ(forwarder->facts().send_problem, "");
}

TEST_F(EventForwarderTest, WithoutAnyPlaceTheyAreTakenAndCounted) {
  options.sources.resize(1);
  options.sources[0].uri = "file:flags.json";
  start();
  post(events(summary(1)));
  const auto dropped = [&] {
    return forwarder->facts().dropped[static_cast<std::size_t>(DropReason::kOffline)];
  };
  ASSERT_TRUE(wait([&] { return all_answered() && dropped() == 1; }));
  EXPECT_EQ(results, std::vector(1, PostResult::kTaken));
}

TEST_F(EventForwarderTest, ADiskThatHangsFillsTheQueueAndNoMore) {
  start();
  disk.hold(true);
  for (std::size_t i = 0; i < launchdarkly::SpoolOnDisk::kQueuedMax + 10; ++i) post(events("[]"));
  ASSERT_TRUE(wait([&] { return results.size() == 10; }));
  EXPECT_EQ(results, std::vector(10, PostResult::kFull));
  disk.hold(false);
  ASSERT_TRUE(wait([&] { return all_answered(); }));
  results.clear();
  asked = 0;
  disk.hold(true);
  for (std::size_t i = 0; i < 9; ++i) post(events("[" + std::string(1024 * 1024 - 2, ' ') + "]"));
  EXPECT_FALSE(forwarder->add("4", "", "[" + std::string(1024, ' ') + "]"));
  ASSERT_TRUE(wait([&] { return results.size() == 1; }));
  EXPECT_EQ(results, std::vector(1, PostResult::kFull));
  disk.hold(false);
  ASSERT_TRUE(wait([&] { return all_answered(); }));
  EXPECT_EQ(forwarder->facts().posts_refused, 11U);
}

TEST_F(EventForwarderTest, MalformedIsSaidSo) {
  start();
  post(events("[{"));
  ASSERT_TRUE(wait([&] { return all_answered(); }));
  EXPECT_EQ(results, std::vector(1, PostResult::kMalformed));
}

TEST_F(EventForwarderTest, AtTheEndWhatIsThereIsSealedAndTriedOnce) {
  options.events.flush_interval = std::chrono::hours(1);
  bool done = false;
  const auto finish = [&] {
    done = false;
    forwarder->finish(10'000, [&] { done = true; });
    EXPECT_TRUE(wait([&] { return done; }));
  };
  start();
  finish();
  EXPECT_EQ(seen(), 0U);
  start();
  post(events(summary(1)));
  finish();
  EXPECT_EQ(arrived(), std::vector<std::string>{summary(1)});
  // Nothing is taken behind that.
  post(events(summary(1)));
  ASSERT_TRUE(wait([&] { return all_answered(); }));
  EXPECT_EQ(results.back(), PostResult::kFull);
  answer(503);
  start();
  post(events(summary(2)));
  ASSERT_TRUE(wait([&] { return all_answered(); }));
  finish();
  EXPECT_EQ(seen(), 2U);
  answer(202);
  start();
  ASSERT_TRUE(wait([&] { return arrived().size() == 2; }));
  EXPECT_EQ(arrived().back(), summary(2));
}

TEST_F(EventForwarderTest, FlushSendsAtOnceAndGoesOn) {
  options.events.flush_interval = std::chrono::hours(1);
  start();
  post(events(summary(1)));
  forwarder->flush();
  ASSERT_TRUE(wait([&] { return arrived().size() == 1; }));
  post(events(summary(2)));
  ASSERT_TRUE(wait([&] { return all_answered(); }));
  EXPECT_EQ(results.back(), PostResult::kTaken);
}

TEST_F(EventForwarderTest, TheEndDoesNotWaitForAnUpstreamThatHangs) {
  options.events.flush_interval = std::chrono::hours(1);
  fakes::ScriptedHttpServer hanging(
      [](const fakes::ServedRequest&, std::size_t) { return fakes::Reply{.hang = true}; });
  config::Source source;
  source.uri = hanging.url("");
  source.credential.text = config::Secret("sdk-1");
  options.sources.push_back(source);
  start();
  post(events(summary(1)));
  bool done = false;
  forwarder->finish(50, [&] { done = true; });
  ASSERT_TRUE(wait([&] { return done; }));
  forwarder.reset();
  options.sources.clear();
  start();
  ASSERT_TRUE(wait([&] { return arrived().size() == 1; }));
  EXPECT_EQ(arrived().back(), summary(1));
}

TEST(EventsUri, FollowsTheSource) {
  const struct {
    const char* uri;
    const char* events_uri;
    const char* expected;
  } rows[] = {
      {"https://sdk.launchdarkly.com", "", "https://events.launchdarkly.com"},
      {"https://sdk.launchdarkly.com/", "", "https://events.launchdarkly.com"},
      {"https://sdk.eu.launchdarkly.com", "", "https://events.eu.launchdarkly.com"},
      {"https://sdk.launchdarkly.us", "", "https://events.launchdarkly.us"},
      {"https://sdk.example.com", "", "https://sdk.example.com"},
      {"http://relay:8030/", "", "http://relay:8030"},
      {"https://sdk.launchdarkly.com", "http://other/x/", "http://other/x"},
  };
  for (const auto& row : rows) {
    config::Source source;
    source.uri = row.uri;
    source.launchdarkly.events_uri = row.events_uri;
    EXPECT_EQ(events_base(source).url, row.expected) << row.uri;
    EXPECT_TRUE(launchdarkly::takes_events(source));
  }
}

}  // namespace
}  // namespace flagstone::upstream
