// FDv1 streamed: what comes, in whatever pieces, and what becomes of it when it makes no sense.
#include "tests/upstream/launchdarkly_fixture.h"

namespace flagstone::upstream {
namespace {

using Strings = std::vector<std::string>;

class LaunchDarklyFdv1SourceTest : public LaunchDarklyFixture {};

TEST_F(LaunchDarklyFdv1SourceTest, APutThenPatchesAndDeletes) {
  start();
  put(flags("a", 1) + "," + flags("b", 2));
  ASSERT_TRUE(updates(1));
  EXPECT_EQ(update(0), "full a@1 b@2");
  EXPECT_FALSE(listener.updates[0].in_order);
  EXPECT_EQ(listener.updates[0].records[0].raw, R"({"version":1})");
  patch("a", 3);
  ASSERT_TRUE(updates(2));
  EXPECT_EQ(update(1), "delta a@3");
  feed.event("delete", R"({"path":"/flags/b","version":9})");
  ASSERT_TRUE(updates(3));
  EXPECT_EQ(update(2), "delta b@9-");
  EXPECT_EQ(targets(), Strings{"/all"});
  EXPECT_EQ(source->kind(), SourceKind::kStream);
  EXPECT_TRUE(listener.failures.empty());
}

TEST_F(LaunchDarklyFdv1SourceTest, WhateverThePieces) {
  const std::string script =
      ": hello\r\nretry: 1\r\nid: 4\r\nevent: put\r\ndata: {\"path\":\"/\",\r\ndata: \"data\":" +
      data(flags("a", 1)) + "}\r\n\r\nevent:patch\ndata:{\"data\":" + flag(2) +
      ",\"path\":\"/flags/a\"}\n\nevent: novelty\ndata: {\n\n"
      "event: delete\rdata: {\"path\":\"/flags/a\",\"version\":3}\r\r";
  start();
  std::size_t seen = 0;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, script.size()}) {
    for (std::size_t at = 0; at < script.size(); at += piece) feed.say(script.substr(at, piece));
    const auto complete = [&] {
      return !listener.updates.empty() && update(listener.updates.size() - 1) == "delta a@3-" &&
             listener.updates.size() > seen;
    };
    ASSERT_TRUE(loop.run_until(complete)) << piece;
    EXPECT_EQ(update(seen), "full a@1");
    seen = listener.updates.size();
  }
  EXPECT_TRUE(listener.failures.empty());
}

TEST_F(LaunchDarklyFdv1SourceTest, WhatTheRequestSays) {
  options.launchdarkly.filter = "a b";
  options.launchdarkly.wrapper = "w/1";
  options.launchdarkly.tags = {{"application-version", "7"}, {"application-id", "shop"}};
  options.headers = {
      {.name = "X-Own", .value = {.file = {}, .variable = {}, .text = config::Secret("v")}}};
  start();
  put(flags("a", 1));
  ASSERT_TRUE(updates(1));
  const fakes::ServedRequest request = server->requests()[0];
  EXPECT_EQ(request.target, "/all?filter=a%20b");
  EXPECT_EQ(request.header("authorization"), "sdk-key");
  EXPECT_EQ(request.header("accept"), "text/event-stream");
  EXPECT_EQ(request.header("x-launchdarkly-wrapper"), "w/1");
  EXPECT_EQ(request.header("x-launchdarkly-tags"), "application-id/shop application-version/7");
  EXPECT_EQ(request.header("x-launchdarkly-instance-id"), "instance");
  EXPECT_EQ(request.header("x-own"), "v");
}

TEST_F(LaunchDarklyFdv1SourceTest, UnknownThingsArePassedOver) {
  start();
  put(flags("a", 1));
  feed.event("novelty", "no json");
  feed.event("patch", R"({"path":"/metrics/m","data":{}})");
  feed.event("put", R"({"path":"/flags","data":{"flags":{}}})");
  feed.say(":\n\n");
  patch("a", 2);
  ASSERT_TRUE(updates(2));
  EXPECT_EQ(update(1), "delta a@2");
  EXPECT_EQ(targets().size(), 1U);
}

TEST_F(LaunchDarklyFdv1SourceTest, WhatMakesNoSenseIsDiscardedAndTheStreamReopened) {
  const std::vector<std::pair<std::function<void()>, std::string>> rows = {
      {[&] { feed.event("put", "{\"path\""); }, "malformed: "},
      {[&] { feed.event("put", R"({"data":{"flags":[]}})"); }, "malformed: "},
      {[&] { feed.event("patch", R"({"path":"/flags/a","data":5})"); }, "malformed: "},
      {[&] { feed.event("delete", R"({"path":"/flags/a"})"); }, "malformed: "},
      {[&] {
         feed.say("event: put\ndata: {\"data\":{\"flags\":{\n");
         feed.end();
       },
       "truncated: "},
      {[&] { feed.end(); }, "truncated: "},
  };
  start();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    put(flags("a", static_cast<int>(i) + 1));
    ASSERT_TRUE(updates(i + 1)) << i;
    rows[i].first();
    ASSERT_TRUE(fails(i + 1)) << i;
    EXPECT_TRUE(failure(i).starts_with(rows[i].second)) << failure(i);
    ASSERT_TRUE(asks(i + 2)) << i;
  }
}

TEST_F(LaunchDarklyFdv1SourceTest, APatchBeforeAnyPutMakesNoSense) {
  start();
  patch("a", 2);
  ASSERT_TRUE(fails(1));
  EXPECT_TRUE(failure(0).contains("before any put")) << failure(0);
  EXPECT_TRUE(listener.updates.empty());
}

TEST_F(LaunchDarklyFdv1SourceTest, ThePutThatIsKnownIsNoNews) {
  start();
  put(flags("a", 1));
  ASSERT_TRUE(updates(1));
  const std::string cursor = listener.updates[0].cursor;
  feed.end();
  put(flags("a", 1));
  ASSERT_TRUE(loop.run_until([&] { return listener.unchanged == 1; }));
  patch("a", 2);
  ASSERT_TRUE(updates(2));
  EXPECT_NE(listener.updates[1].cursor, cursor) << "it is no longer what the put brought";
  feed.end();
  put(flags("a", 1));
  ASSERT_TRUE(updates(3));
  EXPECT_EQ(update(2), "full a@1");
  source->stop();

  make(cursor);  // Another run.
  ASSERT_TRUE(streams(4));
  put(flags("a", 1));
  ASSERT_TRUE(loop.run_until([&] { return listener.unchanged == 2; }));
  EXPECT_EQ(listener.updates.size(), 3U);
}

TEST_F(LaunchDarklyFdv1SourceTest, OneUpdateIsInWorkAtATimeAndNothingIsLost) {
  outcome.reset();
  start();
  put(flags("a", 1));
  ASSERT_TRUE(updates(1));
  // More than may wait: the rest stays with the other side.
  for (int i = 2; i <= 2500; ++i) patch("a", i);
  put(flags("b", 1));
  loop.run_for(100);
  ASSERT_EQ(listener.updates.size(), 1U);
  source->settle(Outcome::kAccepted);
  ASSERT_TRUE(updates(2));
  EXPECT_EQ(listener.updates[1].records.size(), 1000U) << "as many as may wait";
  std::int64_t last = 1;
  while (listener.updates.back().kind == evaluation::UpdateKind::kDelta) {
    for (const auto& record : listener.updates.back().records) {
      ASSERT_EQ(record.version, last + 1);
      last = record.version;
    }
    const std::size_t before = listener.updates.size();
    source->settle(Outcome::kAccepted);
    ASSERT_TRUE(updates(before + 1));
  }
  EXPECT_EQ(last, 2500);
  EXPECT_EQ(update(listener.updates.size() - 1), "full b@1");
  EXPECT_EQ(targets().size(), 1U);
}

TEST_F(LaunchDarklyFdv1SourceTest, WhatIsHeldOrRefusedIsFetchedAgain) {
  for (const Outcome bad : {Outcome::kHeld, Outcome::kRefused}) {
    outcome = bad;
    const std::size_t before = listener.updates.size();
    const int streams = feed.streams();
    if (source == nullptr) {
      start();
    } else {
      source->refresh();
    }
    ASSERT_TRUE(loop.run_until([&] { return feed.streams() > streams; }));
    put(flags("a", 1));
    patch("a", 2);
    ASSERT_TRUE(updates(before + 1));
    ASSERT_TRUE(loop.run_until([&] { return feed.streams() > streams + 1; }));
    outcome = Outcome::kAccepted;
    put(flags("a", 1));
    ASSERT_TRUE(updates(before + 2));
    EXPECT_EQ(update(before + 1), "full a@1") << "changes to what was not taken make no sense";
  }
  EXPECT_TRUE(listener.failures.empty());
}

TEST_F(LaunchDarklyFdv1SourceTest, ARefusedKeyIsTriedRarelyUntilItIsAnother) {
  const std::string key = key_file("old");
  patience.stream = milliseconds(200);
  start([](const std::string&, const fakes::ServedRequest& request) -> std::optional<fakes::Reply> {
    if (request.header("authorization") == "new") return std::nullopt;
    return fakes::Reply{.status = 401};
  });
  ASSERT_TRUE(fails(1));
  EXPECT_TRUE(failure(0).starts_with("unauthorized: ")) << failure(0);
  EXPECT_EQ(listener.failures[0].retry_in, std::chrono::minutes(5));
  EXPECT_FALSE(failure(0).contains("old"));
  loop.run_for(400);
  EXPECT_EQ(targets().size(), 1U) << "no poll with a key that was just refused";
  fakes::replace_file(key, "new");
  put(flags("a", 1));
  ASSERT_TRUE(updates(1));
  EXPECT_EQ(listener.credential_changes, 1);
  EXPECT_EQ(source->credential().reveal(), "new");
}

TEST_F(LaunchDarklyFdv1SourceTest, AnOperatorsWordAndAKeyWrittenAgainEndALongWait) {
  const std::string key = key_file("sdk-0123456789-5555");
  start(
      [](const std::string&, const fakes::ServedRequest&) { return fakes::Reply{.status = 401}; });
  ASSERT_TRUE(fails(1));
  EXPECT_TRUE(failure(0).ends_with(": status 401 at /all: the SDK key in " + key +
                                   " (…5555) is refused, check that it is this environment's and "
                                   "valid; trying again in 300.0 s; "
                                   "SIGHUP tries now"))
      << failure(0);
  source->try_now();
  ASSERT_TRUE(fails(2));
  EXPECT_EQ(listener.failures[1].retry_in, std::chrono::minutes(5));
  ASSERT_TRUE(loop.run_until([&] { return files.reads() >= 1; })) << "it has been looked at";
  EXPECT_EQ(targets().size(), 2U);
  fakes::replace_file(key, "sdk-0123456789-5555");
  ASSERT_TRUE(fails(3));
  EXPECT_EQ(listener.credential_changes, 0);
}

TEST_F(LaunchDarklyFdv1SourceTest, AKeyFileThatIsEmptiedIsToldWhileTheStreamGoesOn) {
  const std::string key = key_file("sdk-key");
  start();
  put(flags("a", 1));
  ASSERT_TRUE(updates(1));
  EXPECT_EQ(source->trouble(), "");
  fakes::write_file(key, "");
  ASSERT_TRUE(loop.run_until([&] { return !listener.degraded.empty(); }));
  EXPECT_EQ(
      listener.degraded[0],
      "credential file " + key + " is empty; what it held before is used until the next start");
  EXPECT_EQ(source->trouble(), listener.degraded[0]);
  put(flags("a", 2));
  ASSERT_TRUE(updates(2));
  EXPECT_EQ(targets().size(), 1U);
}

TEST_F(LaunchDarklyFdv1SourceTest, OtherFailuresThatLastAreTriedRarelyToo) {
  for (const auto& [status, rarely] :
       {std::pair(403, true), std::pair(404, true), std::pair(410, true), std::pair(400, false),
        std::pair(408, false), std::pair(429, false), std::pair(500, false)}) {
    listener.failures.clear();
    feed.close();
    start([status = status](const auto&, const auto&) { return fakes::Reply{.status = status}; });
    ASSERT_TRUE(fails(1));
    EXPECT_EQ(listener.failures[0].retry_in >= std::chrono::minutes(5), rarely) << status;
    source->stop();
  }
}

TEST_F(LaunchDarklyFdv1SourceTest, AnAnswerThatIsNoStream) {
  start([](const auto&, const auto&) {
    return fakes::Reply{.headers = {{"Content-Type", "text/html"}}, .body = "<html>data: x\n\n"};
  });
  ASSERT_TRUE(fails(1));
  EXPECT_TRUE(failure(0).contains("no event stream")) << failure(0);
}

TEST_F(LaunchDarklyFdv1SourceTest, AnEndlessEventHasItsBound) {
  options.max_document_bytes = 64 * 1024;
  start();
  feed.say("event: put\ndata: {\"data\":{\"flags\":{\"a\":{\"x\":\"");
  for (int i = 0; i < 10; ++i) feed.say(std::string(10'000, 'x'));
  ASSERT_TRUE(fails(1));
  EXPECT_TRUE(failure(0).starts_with("too_large: ")) << failure(0);
  EXPECT_TRUE(listener.updates.empty());
}

TEST_F(LaunchDarklyFdv1SourceTest, ASilentStreamIsReopened) {
  patience.silence = milliseconds(50);
  start([](const std::string&, const fakes::ServedRequest&) {
    return fakes::Reply{.headers = {{"Content-Type", "text/event-stream"}},
                        .body = ":\n",
                        .announced_length = 100,
                        .drip_ms = 300};
  });
  ASSERT_TRUE(fails(1));
  EXPECT_TRUE(failure(0).starts_with("timeout: ")) << failure(0);
  ASSERT_TRUE(asks(2));
}

TEST_F(LaunchDarklyFdv1SourceTest, AStreamThatWasGoodAndEndsIsNoFailure) {
  patience.backoff.good = milliseconds(1);
  start();
  put(flags("a", 1));
  ASSERT_TRUE(updates(1));
  loop.run_for(10);
  feed.end();
  put(flags("a", 2));
  ASSERT_TRUE(updates(2));
  EXPECT_TRUE(listener.failures.empty());
}

TEST_F(LaunchDarklyFdv1SourceTest, StoppedItSaysNothingMore) {
  start();
  put(flags("a", 1));
  ASSERT_TRUE(updates(1));
  source->stop();
  feed.end();
  loop.run_for(30);
  EXPECT_TRUE(listener.failures.empty());
  EXPECT_EQ(targets().size(), 1U);
}

}  // namespace
}  // namespace flagstone::upstream
