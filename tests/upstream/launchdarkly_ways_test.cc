// Stream and polls beside each other, and the ways out of FDv2, while something is in work.
#include <algorithm>
#include <atomic>

#include "tests/upstream/launchdarkly_fixture.h"

namespace flagstone::upstream {
namespace {

using fakes::Reply;
using fakes::ServedRequest;
using Strings = std::vector<std::string>;

class LaunchDarklyWaysTest : public LaunchDarklyFixture {
 protected:
  LaunchDarklyWaysTest() { options.launchdarkly.protocol = config::LaunchDarklyProtocol::kAuto; }

  static Reply leave(int status, const std::string& ttl) {
    return {.status = status,
            .headers = {{"X-LD-FD-Fallback", "true"}, {"X-LD-FD-Fallback-TTL", ttl}}};
  }
  static Reply polled(const std::string& intent, const std::string& key) {
    return {.body = R"({"events":[{"event":"server-intent","data":{"payloads":[{"intentCode":")" +
                    intent + R"("}]}},{"event":"put-object","data":{"kind":"flag","key":")" + key +
                    R"(","version":1,"object":{"version":1}}},)" +
                    R"({"event":"payload-transferred","data":{"state":"polled","version":1}}]})"};
  }

  static std::string fdv2_basis(const std::string& selector) {
    return to_text(
        {.protocol = LaunchDarklyProtocol::kFdv2, .digest = {}, .etag = {}, .selector = selector});
  }

  // What a poll brought is in work, and the stream is only coming now; a basis was there before.
  void poll_while_the_stream_is_away(const std::string& intent) {
    outcome.reset();
    patience.stream = milliseconds(20);
    serve([this, intent](const std::string& path, const ServedRequest&) -> std::optional<Reply> {
      const bool streams = path == "/sdk/stream";
      if (streams != stream_is_up) return Reply{.status = 503};
      if (streams) return std::nullopt;
      return polled(intent, "p");
    });
    make(fdv2_basis("one"));
    ASSERT_TRUE(updates(1));
    listener.failures.clear();
    stream_is_up = true;
  }
  bool stream_works() {
    return loop.run_until([&] { return source->kind() == SourceKind::kStream; });
  }

  std::atomic<bool> stream_is_up = false;
};

TEST_F(LaunchDarklyWaysTest, WhatWasSaidToOneKeyIsNotSaidToAnother) {
  const std::string key = key_file("old");
  start([](const std::string& path, const ServedRequest& request) -> std::optional<Reply> {
    if (request.header("authorization") == "new") return std::nullopt;
    if (path == "/sdk/latest-all") return Reply{.body = data(flags("a", 1))};
    return leave(503, "0");
  });
  ASSERT_TRUE(updates(1));
  EXPECT_EQ(source->kind(), SourceKind::kPoll);
  fakes::replace_file(key, "new");
  transfer("xfer-full", "b", 1, "x");
  ASSERT_TRUE(loop.run_until([&] { return update(listener.updates.size() - 1) == "full b@1"; }));
  EXPECT_EQ(source->kind(), SourceKind::kStream);
  EXPECT_EQ(targets().back(), "/sdk/stream");
}

TEST_F(LaunchDarklyWaysTest, NorIsThatFdv2IsNotKnown) {
  const std::string key = key_file("old");
  start([](const std::string& path, const ServedRequest& request) -> std::optional<Reply> {
    const bool knows = request.header("authorization") == "new" || path != "/sdk/stream";
    return knows ? std::nullopt : std::optional(Reply{.status = 404});
  });
  put(flags("a", 1));
  ASSERT_TRUE(updates(1));
  fakes::replace_file(key, "new");
  ASSERT_TRUE(asks(3));
  EXPECT_EQ(targets(), (Strings{"/sdk/stream", "/all", "/sdk/stream"}));
}

TEST_F(LaunchDarklyWaysTest, AnOperatorsWordEndsWhatTheOtherSideSaidForEver) {
  std::atomic<bool> says_so = true;
  start([&](const std::string& path, const ServedRequest&) -> std::optional<Reply> {
    if (path == "/sdk/latest-all") return Reply{.body = data(flags("a", 1))};
    return says_so ? std::optional(leave(503, "0")) : std::nullopt;
  });
  ASSERT_TRUE(updates(1));
  EXPECT_EQ(source->protocol_name(), "fdv1");
  source->try_now();
  // It still says so, and whoever asked hears it.
  ASSERT_TRUE(loop.run_until([&] { return listener.degraded.size() == 2; }));
  EXPECT_EQ(listener.degraded[1], listener.degraded[0]);
  EXPECT_EQ(std::ranges::count(targets(), "/sdk/stream"), 2);
  says_so = false;
  source->try_now();
  intent("xfer-full");
  put_object("b", 1);
  transferred("x");
  ASSERT_TRUE(loop.run_until([&] { return update(listener.updates.size() - 1) == "full b@1"; }));
  EXPECT_EQ(source->kind(), SourceKind::kStream);
  EXPECT_EQ(source->protocol_name(), "fdv2");
  EXPECT_EQ(listener.ways, Strings{"streamed by FDv2"});
  EXPECT_TRUE(listener.failures.empty());
}

TEST_F(LaunchDarklyWaysTest, AndThatFdv2IsNotKnown) {
  std::atomic<bool> knows = false;
  start([&](const std::string& path, const ServedRequest&) -> std::optional<Reply> {
    const bool unknown = path == "/sdk/stream" && !knows;
    return unknown ? std::optional(Reply{.status = 404}) : std::nullopt;
  });
  put(flags("a", 1));
  ASSERT_TRUE(updates(1));
  EXPECT_EQ(source->protocol_name(), "fdv1");
  ASSERT_EQ(listener.ways.size(), 1U);
  EXPECT_TRUE(listener.ways[0].starts_with("streamed by FDv1, since")) << listener.ways[0];
  knows = true;
  source->try_now();
  ASSERT_TRUE(streams(2));
  intent("xfer-full");
  put_object("b", 1);
  transferred("x");
  ASSERT_TRUE(updates(2));
  EXPECT_EQ(update(1), "full b@1");
  EXPECT_EQ(targets(), (Strings{"/sdk/stream", "/all", "/sdk/stream"}));
  EXPECT_EQ(listener.ways.back(), "streamed by FDv2");
  EXPECT_TRUE(listener.degraded.empty());
  // Nothing is waited for, so that nothing is to be done.
  source->try_now();
  loop.run_for(30);
  EXPECT_EQ(targets().size(), 3U);
}

// FDv2 is left, what FDv1 brought is in work, and a change waits for that.
TEST_F(LaunchDarklyWaysTest, AnOperatorsWordDropsWhatWaitsOfTheStreamBefore) {
  outcome.reset();
  std::atomic<bool> knows = false;
  serve([&](const std::string& path, const ServedRequest&) -> std::optional<Reply> {
    const bool unknown = path == "/sdk/stream" && !knows;
    return unknown ? std::optional(Reply{.status = 404}) : std::nullopt;
  });
  make(fdv2_basis("one"));
  put(flags("a", 1));
  ASSERT_TRUE(updates(1));
  patch("a", 2);
  loop.run_for(30);
  knows = true;
  source->try_now();
  ASSERT_TRUE(streams(2));
  EXPECT_EQ(targets(), (Strings{"/sdk/stream?basis=one", "/all", "/sdk/stream"}))
      << "what is in work is none of that basis'";
  source->settle(Outcome::kAccepted);
  transfer("xfer-full", "b", 1, "x");
  ASSERT_TRUE(updates(2));
  EXPECT_EQ(update(1), "full b@1");
}

// The same where the time is over for which FDv2 was left, and the stream by FDv1 breaks.
TEST_F(LaunchDarklyWaysTest, AReturnToFdv2BuildsOnNothingThatFdv1HasInWork) {
  outcome.reset();
  patience.fallback.usual = milliseconds(40);
  std::atomic<bool> knows = false;
  serve([&](const std::string& path, const ServedRequest&) -> std::optional<Reply> {
    const bool unknown = path == "/sdk/stream" && !knows;
    return unknown ? std::optional(Reply{.status = 404}) : std::nullopt;
  });
  make(fdv2_basis("one"));
  put(flags("a", 1));
  ASSERT_TRUE(updates(1));
  patch("a", 2);
  loop.run_for(80);
  knows = true;
  feed.end();
  ASSERT_TRUE(streams(2));
  EXPECT_EQ(targets().back(), "/sdk/stream");
  source->settle(Outcome::kAccepted);
  ASSERT_TRUE(updates(2));
  EXPECT_EQ(update(1), "delta a@2");
  source->settle(Outcome::kAccepted);
  transfer("xfer-full", "b", 1, "x");
  ASSERT_TRUE(updates(3));
  EXPECT_EQ(update(2), "full b@1");
}

// The stream was asked for with a basis, and then a poll by FDv1 brought what takes its place.
TEST_F(LaunchDarklyWaysTest, ChangesToWhatAnotherProtocolBroughtAreFetchedWhole) {
  for (const bool in_work : {true, false}) {
    listener.updates.clear();
    outcome = in_work ? std::nullopt : std::optional(Outcome::kAccepted);
    patience.fallback.usual = milliseconds(10);
    const std::optional away(leave(503, ""));
    const int before = feed.streams();
    std::atomic<bool> said = false;
    std::atomic<bool> polls_work = false;
    serve([&](const std::string& path, const ServedRequest&) -> std::optional<Reply> {
      if (path == "/sdk/stream") return said.exchange(true) ? std::nullopt : away;
      return polls_work ? Reply{.body = data(flags("p", 1))} : Reply{.status = 503};
    });
    make(fdv2_basis("one"));
    ASSERT_TRUE(streams(before + 1));
    polls_work = true;
    ASSERT_TRUE(updates(1));
    transfer("xfer-changes", "s", 2, "two");
    ASSERT_TRUE(streams(before + 2));
    EXPECT_EQ(std::ranges::count(targets(), "/sdk/stream?basis=one"), 2);
    EXPECT_EQ(std::ranges::count(targets(), "/sdk/stream"), 1) << "everything is asked for";
    if (in_work) source->settle(Outcome::kAccepted);
    transfer("xfer-full", "s", 2, "two");
    ASSERT_TRUE(updates(2));
    EXPECT_EQ(update(1), "full s@2");
    if (in_work) source->settle(Outcome::kAccepted);
    source->stop();
  }
}

// Some write their keys again every few minutes: a stream that works is not given up for that.
TEST_F(LaunchDarklyWaysTest, AKeyThatIsWrittenAgainIsNoWordOfAnOperators) {
  const std::string key = key_file("sdk-key");
  start([](const std::string& path, const ServedRequest&) -> std::optional<Reply> {
    return path == "/sdk/stream" ? std::optional(Reply{.status = 404}) : std::nullopt;
  });
  put(flags("a", 1));
  ASSERT_TRUE(updates(1));
  const auto look = [&] {
    bool looked = false;
    source->look_at_credential([&](bool) {
      looked = true;
      loop.nudge();
    });
    ASSERT_TRUE(loop.run_until([&] { return looked; }));
  };
  look();
  fakes::replace_file(key, "sdk-key\n");
  look();
  loop.run_for(30);
  EXPECT_EQ(targets(), (Strings{"/sdk/stream", "/all"}));
}

TEST_F(LaunchDarklyWaysTest, EachChangeOfTheWayIsSaidOnce) {
  patience.stream = milliseconds(20);
  start([this](const std::string& path, const ServedRequest&) -> std::optional<Reply> {
    if (path == "/sdk/poll") return polled("xfer-full", "p");
    return stream_is_up ? std::nullopt : std::optional(Reply{.status = 503});
  });
  ASSERT_TRUE(updates(3));
  EXPECT_EQ(listener.degraded, Strings{"polled by FDv2, since the stream does not work"});
  EXPECT_TRUE(listener.ways.empty());
  stream_is_up = true;
  intent("xfer-full");
  put_object("s", 1);
  transferred("streamed");
  ASSERT_TRUE(stream_works());
  put_object("s", 2);
  transferred("later");
  ASSERT_TRUE(loop.run_until([&] { return update(listener.updates.size() - 1) == "delta s@2"; }));
  EXPECT_EQ(listener.ways, Strings{"streamed by FDv2"});
  EXPECT_EQ(listener.degraded.size(), 1U);
}

TEST_F(LaunchDarklyWaysTest, TheWordToLeaveEndsWithTheConnectionThatSaidIt) {
  outcome.reset();
  patience.fallback.parting = milliseconds(1);
  std::atomic<bool> says_so = true;
  start([&](const std::string& path, const ServedRequest&) -> std::optional<Reply> {
    if (path != "/sdk/stream" || !says_so.exchange(false)) return std::nullopt;
    return stream_with_the_word_to_leave();
  });
  transfer("xfer-full", "a", 1, "x");
  ASSERT_TRUE(updates(1));
  loop.run_for(20);  // Overdue, but for the data that is in work.
  feed.end();
  ASSERT_TRUE(streams(2));
  source->settle(Outcome::kAccepted);
  transfer("xfer-full", "b", 1, "y");
  ASSERT_TRUE(updates(2));
  EXPECT_EQ(update(1), "full b@1");
  source->settle(Outcome::kAccepted);
  EXPECT_EQ(source->kind(), SourceKind::kStream);
  EXPECT_TRUE(listener.degraded.empty());
}

TEST_F(LaunchDarklyWaysTest, TheWordToLeaveCountsWhateverBecomesOfTheData) {
  outcome = Outcome::kHeld;
  start([&](const std::string& path, const ServedRequest&) -> std::optional<Reply> {
    if (path == "/sdk/latest-all") return Reply{.body = data(flags("b", 1))};
    return stream_with_the_word_to_leave();
  });
  transfer("xfer-full", "a", 1, "x");
  ASSERT_TRUE(updates(2));
  EXPECT_EQ(update(1), "full b@1");
  EXPECT_EQ(targets()[1], "/sdk/latest-all");
}

TEST_F(LaunchDarklyWaysTest, AGoodbyeWaitsForWhatIsInWork) {
  outcome.reset();
  start([](const std::string& path, const ServedRequest&) -> std::optional<Reply> {
    if (path == "/sdk/latest-all") return Reply{.body = data(flags("b", 1))};
    return std::nullopt;
  });
  transfer("xfer-full", "a", 1, "x");
  ASSERT_TRUE(updates(1));
  feed.event("goodbye", R"({"reason":"r","silent":true,"protocolFallbackTTL":60})");
  ASSERT_TRUE(loop.run_until([&] { return !listener.degraded.empty(); }));
  loop.run_for(50);
  EXPECT_EQ(targets(), Strings{"/sdk/stream"});
  source->settle(Outcome::kAccepted);
  ASSERT_TRUE(updates(2));
  EXPECT_EQ(update(1), "full b@1");
  EXPECT_EQ(targets()[1], "/sdk/latest-all");
  EXPECT_TRUE(listener.failures.empty());
}

TEST_F(LaunchDarklyWaysTest, WhatTheStreamCallsCurrentIsSoOnceAPollIsRefused) {
  for (const auto& [outcome_of_poll, times] :
       {std::pair(Outcome::kRefused, 1), std::pair(Outcome::kHeld, 1),
        std::pair(Outcome::kAccepted, 0)}) {
    listener.updates.clear();
    listener.unchanged = 0;
    stream_is_up = false;
    poll_while_the_stream_is_away("xfer-changes");
    intent("none");
    ASSERT_TRUE(stream_works());
    EXPECT_EQ(listener.unchanged, 0) << "not while something is in work";
    source->settle(outcome_of_poll);
    EXPECT_EQ(listener.unchanged, times);
    source->stop();
  }
}

TEST_F(LaunchDarklyWaysTest, NotOnceThatStreamIsGone) {
  poll_while_the_stream_is_away("xfer-changes");
  intent("none");
  ASSERT_TRUE(stream_works());
  feed.end();
  ASSERT_TRUE(fails(1));
  source->settle(Outcome::kRefused);
  EXPECT_EQ(listener.unchanged, 0);
}

TEST_F(LaunchDarklyWaysTest, WhatTheStreamBroughtOutlivesAPollThatIsHeld) {
  for (const Outcome bad : {Outcome::kHeld, Outcome::kRefused}) {
    listener.updates.clear();
    stream_is_up = false;
    poll_while_the_stream_is_away("xfer-full");
    transfer("xfer-full", "s", 1, "streamed");
    ASSERT_TRUE(stream_works());
    source->settle(bad);
    ASSERT_TRUE(updates(2));
    EXPECT_EQ(update(1), "full s@1");
    source->settle(Outcome::kAccepted);
    put_object("s", 2);
    transferred("later");
    ASSERT_TRUE(updates(3));
    EXPECT_EQ(update(2), "delta s@2");
    EXPECT_TRUE(listener.updates[2].cursor.ends_with("later"));
    source->stop();
  }
}

TEST_F(LaunchDarklyWaysTest, ChangesToWhatAPollBroughtGoWithIt) {
  poll_while_the_stream_is_away("xfer-full");
  transfer("xfer-changes", "s", 1, "streamed");
  ASSERT_TRUE(stream_works());
  const int before = feed.streams();
  source->settle(Outcome::kHeld);
  ASSERT_TRUE(streams(before + 1));
  EXPECT_EQ(std::ranges::count(targets(), "/sdk/stream"), 1) << "everything is asked for";
  transfer("xfer-full", "s", 2, "everything");
  ASSERT_TRUE(updates(2));
  EXPECT_EQ(update(1), "full s@2");
}

}  // namespace
}  // namespace flagstone::upstream
