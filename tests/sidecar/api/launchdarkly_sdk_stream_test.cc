// /all and /flags: what an SDK hears, and how.
#include <gtest/gtest.h>

#include "net/timer.h"
#include "sidecar/api/launchdarkly_sdk.h"
#include "tests/sidecar/api/launchdarkly_bench.h"
#include "tests/sidecar/api/sdk_store.h"

namespace flagstone::sidecar {
namespace {

class LaunchDarklySdkStreamTest : public ::testing::Test {
 protected:
  void serve() { bench.serve<LaunchDarklySdk>(std::uint64_t{7}); }
  static std::vector<std::string> names(std::string_view text) {
    std::vector<std::string> found;
    for (const SseEvent& event : sse_events(text)) found.push_back(event.name);
    return found;
  }
  static std::string last(std::string_view text) {
    const auto events = sse_events(text);
    return events.empty() ? std::string() : events.back().name + " " + events.back().data;
  }

  LaunchDarklyBench bench{2, 2};
};

using Names = std::vector<std::string>;

TEST_F(LaunchDarklySdkStreamTest, APutThenWhatChangesByteForByte) {
  serve();
  bench.take({flag_record("a", 1, "\"x\""), segment_record("s", 3, "u")});
  auto answer = bench.get("/all");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/event-stream; charset=utf-8");
  EXPECT_EQ(answer.header("Cache-Control"), "no-cache, no-store, must-revalidate");
  EXPECT_EQ(answer.header("X-Accel-Buffering"), "no");
  EXPECT_EQ(
      answer.stream->all(),
      "event: put\ndata: {\"path\":\"/\",\"data\":{\"flags\":{\"a\":" + ld_flag("a", 1, "\"x\"") +
          "},\"segments\":{\"s\":" + ld_segment("s", 3, "u") + "}}}\n\n");
  answer.stream->sent.clear();
  bench.change({flag_record("a", 2, "\"y\"")});
  EXPECT_EQ(answer.stream->all(), "event: patch\ndata: {\"path\":\"/flags/a\",\"data\":" +
                                      ld_flag("a", 2, "\"y\"") + "}\n\n");
  answer.stream->sent.clear();
  bench.change({segment_record("s", 4, "v")});
  EXPECT_EQ(answer.stream->all(), "event: patch\ndata: {\"path\":\"/segments/s\",\"data\":" +
                                      ld_segment("s", 4, "v") + "}\n\n");
  answer.stream->sent.clear();
  bench.change({deleted_record(flag_record("a", 7, ""))});
  EXPECT_EQ(answer.stream->all(), "event: delete\ndata: {\"path\":\"/flags/a\",\"version\":3}\n\n");
}

TEST_F(LaunchDarklySdkStreamTest, LineBreaksOfTheVendorStayLineBreaks) {
  serve();
  evaluation::Record broken = flag_record("a", 1, "1");
  broken.raw.insert(1, "\r\n  ");
  bench.take({broken});
  auto stream = bench.get("/all").stream;
  const auto events = sse_events(stream->all());
  ASSERT_EQ(events.size(), 1u);
  EXPECT_NE(events[0].data.find("{\n  \"key\":\"a\""), std::string::npos) << events[0].data;
  SdkStore store;
  store.apply(events[0]);
  EXPECT_EQ(store.objects_held().size(), 1u);
}

TEST_F(LaunchDarklySdkStreamTest, FlagsOnly) {
  serve();
  bench.take({flag_record("a", 1, "1"), segment_record("s", 1, "u")});
  auto stream = bench.get("/flags").stream;
  EXPECT_EQ(stream->all(), "event: put\ndata: {\"a\":" + ld_flag("a", 1, "1") + "}\n\n");
  stream->sent.clear();
  bench.change({segment_record("s", 2, "v")});
  EXPECT_TRUE(stream->sent.empty());
  bench.change({flag_record("a", 2, "2")});
  EXPECT_EQ(stream->all(),
            "event: patch\ndata: {\"path\":\"/a\",\"data\":" + ld_flag("a", 2, "2") + "}\n\n");
  stream->sent.clear();
  bench.change({deleted_record(flag_record("a", 3, ""))});
  EXPECT_EQ(stream->all(), "event: delete\ndata: {\"path\":\"/a\",\"version\":3}\n\n");
}

TEST_F(LaunchDarklySdkStreamTest, SilentUntilThereIsData) {
  serve();
  auto answer = bench.get("/all");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.stream->sent.empty());
  bench.take({flag_record("optional", 1, "1")}, 1);
  EXPECT_TRUE(answer.stream->sent.empty()) << "the required source has not answered";
  bench.take({flag_record("a", 1, "1")});
  EXPECT_EQ(names(answer.stream->all()), Names{"put"});
}

TEST_F(LaunchDarklySdkStreamTest, StaleDataIsServed) {
  serve();
  bench.stale = true;
  bench.take({flag_record("a", 1, "1")});
  auto stream = bench.get("/all").stream;
  EXPECT_EQ(names(stream->all()), Names{"put"});
  bench.stale = false;
  bench.publish();
  EXPECT_EQ(names(stream->all()), Names{"put"}) << "nothing changed for SDKs";
}

TEST_F(LaunchDarklySdkStreamTest, OneBodyForAll) {
  serve();
  bench.take(flag_records(5000, 1000));
  std::vector<net::RecordingResponse> answers;
  for (int i = 0; i < 50; ++i) answers.push_back(bench.get("/all"));
  bench.turn_until([&] { return !answers.back().stream->sent.empty(); });
  auto body = answers.front().stream->shared.at(0);
  EXPECT_GT(body->size(), std::size_t{5'000'000});
  for (const auto& answer : answers) {
    ASSERT_EQ(answer.stream->shared.size(), 1u);
    EXPECT_EQ(answer.stream->shared[0], body);
  }
  auto& prepared = bench.desk().counters.sdk_prepared_bytes;
  EXPECT_GE(prepared.read(), body->size());
  EXPECT_LT(prepared.read(), body->size() + body->size() / 8) << "of one body, exactly reserved";
  EXPECT_EQ(bench.desk().counters.sdk_streams.read(), 50u);
  // Who asks while it is kept gets the same one.
  answers.push_back(bench.get("/all"));
  EXPECT_EQ(answers.back().stream->shared.at(0), body);
  // A HEAD leaves nothing: a session gives it a stream that is closed.
  const auto head = bench.request(net::Method::kHead, "/all", {});
  EXPECT_EQ(head.status, 200);
  head.stream->stream->lose();
  head.stream->shared.clear();
  // Only who is being sent it holds it then.
  for (const auto& answer : answers) answer.stream->shared.clear();
  bench.short_of_memory();
  EXPECT_GE(prepared.read(), body->size()) << "this test does";
  const std::weak_ptr<const std::string> gone = body;
  body.reset();
  bench.short_of_memory();
  EXPECT_TRUE(gone.expired());
  EXPECT_EQ(prepared.read(), 0u);
}

TEST_F(LaunchDarklySdkStreamTest, OneMessageForAllWhoWereToldTheSame) {
  serve();
  bench.take({flag_record("a", 1, "1")});
  auto one = bench.get("/all").stream;
  auto other = bench.get("/all").stream;
  bench.change({flag_record("a", 2, "2")});
  ASSERT_EQ(one->shared.size(), 2u);
  EXPECT_EQ(one->shared[1], other->shared.at(1));
}

TEST_F(LaunchDarklySdkStreamTest, ASlowReaderHearsWhatIsLeftOfIt) {
  serve();
  bench.take({flag_record("a", 1, "1"), flag_record("b", 1, "1")});
  auto stream = bench.get("/all").stream;
  stream->sent.clear();
  stream->refusing = true;
  for (int version = 2; version < 50; ++version) {
    bench.change({flag_record("a", version, std::to_string(version))});
  }
  bench.change({deleted_record(flag_record("b", 2, ""))});
  EXPECT_TRUE(stream->sent.empty());
  stream->stream->drain();
  EXPECT_EQ(names(stream->all()), (Names{"patch", "delete"}));
  EXPECT_NE(stream->all().find("\"version\":49"), std::string::npos);
}

TEST_F(LaunchDarklySdkStreamTest, WhoLagsBehindTheLogIsToldEverything) {
  serve();
  bench.take({flag_record("a", 1, "1")});
  auto stream = bench.get("/all").stream;
  stream->sent.clear();
  stream->refusing = true;
  std::int64_t version = 1;
  // Longer keys: the log's bytes are what ends it.
  const std::string key(100'000, 'k');
  for (int i = 0; i < 12; ++i) bench.change({flag_record(key, ++version, "1")});
  stream->stream->drain();
  bench.turn();
  EXPECT_EQ(names(stream->all()), Names{"put"});
}

TEST_F(LaunchDarklySdkStreamTest, APinIsAPut) {
  serve();
  bench.take({flag_record("a", 5, "1"), flag_record("b", 5, "1")});
  auto stream = bench.get("/all").stream;
  stream->sent.clear();
  bench.pin({{.key = "a", .value_json = "\"pinned\""}});
  ASSERT_EQ(names(stream->all()), Names{"put"});
  EXPECT_NE(stream->all().find("\"variations\":[\"pinned\"]"), std::string::npos);
  EXPECT_NE(stream->all().find("\"on\":false"), std::string::npos);
  stream->sent.clear();
  // What lies under a pin is not seen, what is beside it goes on.
  bench.change({flag_record("a", 6, "2")});
  EXPECT_TRUE(stream->sent.empty());
  bench.change({flag_record("b", 6, "2")});
  EXPECT_EQ(names(stream->all()), Names{"patch"});
  stream->sent.clear();
  bench.pin({});
  ASSERT_EQ(names(stream->all()), Names{"put"});
  EXPECT_NE(stream->all().find(ld_flag("a", 6, "2")), std::string::npos);
}

TEST_F(LaunchDarklySdkStreamTest, WhatVersionsWouldHideIsAPut) {
  serve();
  bench.take({flag_record("a", 5, "1")});
  auto stream = bench.get("/all").stream;
  const auto after = [&](const std::function<void()>& change) {
    stream->sent.clear();
    change();
    bench.turn();
    return names(stream->all());
  };
  EXPECT_EQ(after([&] { bench.take({flag_record("a", 4, "2")}); }), Names{"put"})
      << "a version that goes back";
  EXPECT_EQ(after([&] { bench.take({flag_record("a", 9, "1")}, 1); }), Names{"patch"})
      << "a later source's";
  EXPECT_EQ(after([&] { bench.take({}, 1); }), Names{"put"}) << "the later source lets it go";
  EXPECT_EQ(after([&] { bench.take({}); }), Names{"delete"});
  EXPECT_EQ(after([&] { bench.take({flag_record("a", 5, "2")}); }), Names{"put"})
      << "not above the deletion";
  EXPECT_EQ(after([&] { bench.take({}); }), Names{"delete"});
  EXPECT_EQ(after([&] { bench.take({flag_record("a", 7, "2")}); }), Names{"patch"});
  EXPECT_EQ(after([&] { bench.take({flag_record("a", 7, "3")}); }), Names{"put"})
      << "other bytes, the same version";
}

TEST_F(LaunchDarklySdkStreamTest, QuarantinedTextsAreNotServed) {
  serve();
  evaluation::Record bad = flag_record("a", 2, "2");
  bad.raw = R"({"key":"a","version":2,"on":"yes"})";
  evaluation::Record new_bad = flag_record("c", 2, "2");
  new_bad.raw = R"({"key":"c","version":2,"on":"yes"})";
  bench.take({flag_record("a", 1, "1"), flag_record("b", 1, "1")});
  auto stream = bench.get("/all").stream;
  stream->sent.clear();
  bench.change({bad});
  bench.change({new_bad});
  EXPECT_TRUE(stream->sent.empty());
  SdkStore store;
  store.apply(sse_events(bench.get("/all").stream->all()).at(0));
  EXPECT_EQ(store.objects_held().size(), 2u) << "the last good one, and none that never was good";
  bench.change({flag_record("a", 3, "3")});
  EXPECT_EQ(names(stream->all()), Names{"patch"});
}

TEST_F(LaunchDarklySdkStreamTest, WithoutRoomForABodyItGoesOutInSlices) {
  bench.budget().set_limit_bytes(4'000'000);
  bench.desk().budget = &bench.budget();
  bench.desk().settings.bulk_slice = std::chrono::hours(1);
  serve();
  bench.take(flag_records(1500, 600));
  auto stream = bench.get("/all").stream;
  bench.turn(5);
  // What changes meanwhile comes behind it.
  bench.change({flag_record("flag-1", 2, "2")});
  bench.turn_until([&] { return names(stream->all()).size() == 2; });
  EXPECT_EQ(names(stream->all()), (Names{"put", "patch"}));
  EXPECT_GT(stream->sent.size(), 10u);
  EXPECT_EQ(bench.desk().counters.sdk_prepared_bytes.read(), 0u);
  SdkStore store;
  for (const SseEvent& event : sse_events(stream->all())) store.apply(event);
  EXPECT_EQ(store.objects_held().size(), 1500u);
  // One who goes away in the middle harms nobody.
  auto lost = bench.get("/all").stream;
  bench.turn(2);
  lost->stream->lose();
  EXPECT_EQ(bench.desk().counters.sdk_streams.read(), 1u);
}

TEST_F(LaunchDarklySdkStreamTest, ReadersOfOldBodiesAreSentAwayWhenThereAreTooMany) {
  serve();
  std::vector<net::RecordingResponse> slow;
  std::vector<evaluation::Record> records;
  for (int version = 1; version <= 6; ++version) {
    bench.take({flag_record("a", version, std::to_string(version))});
    slow.push_back(bench.get("/all"));
    ASSERT_EQ(slow.back().stream->shared.size(), 1u);
    // They hold what they are being sent.
    slow.back().stream->refusing = true;
  }
  std::size_t open = 0;
  for (const auto& answer : slow) open += answer.stream->open;
  EXPECT_LT(open, slow.size());
  EXPECT_TRUE(slow.back().stream->open);
  EXPECT_FALSE(slow.front().stream->open) << "the slowest";
}

// Pins are what brings everything to all, again and again.
class LaunchDarklySdkSlowReaderTest : public LaunchDarklySdkStreamTest {
 protected:
  using Record = std::shared_ptr<net::RecordingEventStream::Record>;

  LaunchDarklySdkSlowReaderTest() {
    serve();
    bench.take({flag_record("a", 1, "1")});
  }
  Record connect() { return bench.get("/all").stream; }
  // Who comes then holds what it is being sent.
  Record connect_slow() {
    Record stream = connect();
    EXPECT_EQ(stream->shared.size(), 1u);
    stream->refusing = true;
    return stream;
  }
  void next_body() { bench.pin({{.key = "a", .value_json = std::to_string(++value_)}}); }
  void leave_no_room() {
    bench.budget().set_limit_bytes(1);
    bench.desk().budget = &bench.budget();
  }

 private:
  int value_ = 0;
};

TEST_F(LaunchDarklySdkSlowReaderTest, WhoReadsTheOldestBodyGoesWhoeverCameFirst) {
  const Record first = connect();
  std::vector<Record> slow;
  for (int i = 0; i < 3; ++i) {
    next_body();
    first->shared.clear();
    slow.push_back(connect_slow());
  }
  // They are too slow for what comes next, whatever it is, and he is not.
  bench.change({flag_record("b", 1, "1")});
  next_body();
  // He has taken all but the last one, of which he reads now.
  first->shared.erase(first->shared.begin(), first->shared.end() - 1);
  first->refusing = true;
  leave_no_room();
  next_body();
  bench.turn();
  EXPECT_TRUE(first->open) << "three read older ones";
  EXPECT_TRUE(slow[0]->aborted) << "so that his body is let go of now";
  EXPECT_TRUE(slow[1]->open);
  EXPECT_TRUE(slow[2]->open);
  EXPECT_EQ(bench.desk().counters.sdk_streams.read(), 3u);
}

TEST_F(LaunchDarklySdkSlowReaderTest, WhoIsToldInSlicesMeanwhileIsNotAmongThem) {
  const Record quick = connect();
  const Record other = connect();
  std::vector<Record> slow;
  for (int i = 0; i < 3; ++i) {
    next_body();
    quick->shared.clear();
    other->shared.clear();
    slow.push_back(connect_slow());
  }
  leave_no_room();
  // The first is given to the slices, and the last body, which he took, is an old one then.
  next_body();
  bench.turn();
  EXPECT_TRUE(quick->open);
  EXPECT_TRUE(other->open);
  EXPECT_TRUE(slow[0]->aborted);
  EXPECT_TRUE(slow[1]->open);
  EXPECT_TRUE(slow[2]->open);
  EXPECT_EQ(names(quick->all()).back(), "put");
  EXPECT_NE(quick->all().rfind("[4]"), std::string::npos) << last(quick->all());
}

TEST_F(LaunchDarklySdkSlowReaderTest, NoRoomIsNotLookedForAgainForEachWhoAsks) {
  bench.desk().budget = &bench.budget();
  bench.budget().set_limit_bytes(1);
  const Record first = connect();
  bench.turn();
  ASSERT_EQ(names(first->all()), Names{"put"});
  // It is not looked for again for each who asks.
  bench.budget().set_limit_bytes(1'000'000'000);
  const Record second = connect();
  EXPECT_TRUE(second->sent.empty()) << "told in slices, in later turns";
  bench.turn();
  EXPECT_EQ(names(second->all()), Names{"put"});
  // Another state may be smaller.
  next_body();
  const Record third = connect();
  EXPECT_EQ(third->shared.size(), 1u);
  EXPECT_EQ(bench.desk().counters.sdk_prepared_bytes.read(), third->shared.at(0)->capacity());
}

TEST_F(LaunchDarklySdkStreamTest, AKeyThatMayYetBeReadIsNotRefusedForGood) {
  serve();
  bench.awaits_credentials = true;
  bench.take({flag_record("a", 1, "1")});
  const auto early = bench.get("/all", {}, "sdk-key-2");
  EXPECT_EQ(early.status, 503);
  EXPECT_EQ(early.header("Retry-After"), "1");
  EXPECT_EQ(bench.get("/sdk/latest-all", {}, "sdk-key-2").status, 503);
  EXPECT_EQ(bench.get("/all", {}, "").status, 401) << "no key is none of ours";
  EXPECT_EQ(bench.get("/all", {}, "flagd-key").status, 401) << "known, and another vendor's";
  EXPECT_EQ(bench.get("/all").status, 200);
  bench.awaits_credentials = false;
  bench.publish();
  EXPECT_EQ(bench.get("/all", {}, "sdk-key-2").status, 401);
}

TEST_F(LaunchDarklySdkStreamTest, AnEnvironmentThatIsToBecomeLaunchDarklysRefusesNobodyForGood) {
  serve();
  bench.awaited = {2};  // flagd's, behind the two of LaunchDarkly's.
  bench.take({flag_record("a", 1, "1")});
  for (const char* path : {"/all", "/sdk/latest-all", "/sdk/stream"}) {
    EXPECT_EQ(bench.get(path, {}, "flagd-key").status, 503) << path;
  }
  EXPECT_EQ(bench.get("/all").status, 200);
  bench.awaited.clear();
  bench.publish();
  EXPECT_EQ(bench.get("/all", {}, "flagd-key").status, 401);
}

TEST_F(LaunchDarklySdkStreamTest, Heartbeats) {
  bench.desk().settings.sdk_heartbeat = std::chrono::milliseconds(5);
  serve();
  auto stream = bench.get("/all").stream;
  auto v2 = bench.get("/sdk/stream").stream;
  net::Timer deadline(bench.loop, [&] { bench.loop.stop(); });
  while (stream->sent.size() < 2 || v2->sent.size() < 2) {
    deadline.start_once(5);
    bench.loop.run();
  }
  EXPECT_EQ(stream->sent[0], ":\n\n");
  EXPECT_EQ(v2->sent[0], "event: heart-beat\ndata: {}\n\n");
}

TEST_F(LaunchDarklySdkStreamTest, AtTheEnd) {
  serve();
  bench.take({flag_record("a", 1, "1")});
  auto stream = bench.get("/all").stream;
  auto v2 = bench.get("/sdk/stream").stream;
  bench.stop();
  EXPECT_TRUE(stream->closed_by_api);
  EXPECT_TRUE(v2->closed_by_api);
  EXPECT_TRUE(last(v2->all()).starts_with("goodbye {")) << v2->all();
  EXPECT_EQ(bench.get("/all").status, 503);
  EXPECT_EQ(bench.desk().counters.sdk_streams.read(), 0u);
}

TEST_F(LaunchDarklySdkStreamTest, AnEnvironmentIsTakenOut) {
  serve();
  bench.take({flag_record("a", 1, "1")});
  bench.take({flag_record("z", 1, "1")}, 0, 1);
  auto stream = bench.get("/all").stream;
  auto other = bench.get("/all", {}, "sdk-key-1").stream;
  bench.taken_out = 0;
  bench.publish();
  EXPECT_FALSE(stream->open);
  EXPECT_TRUE(other->open);
  EXPECT_EQ(bench.get("/all").status, 401);
  bench.taken_out = -1;
  bench.publish();
  EXPECT_EQ(names(bench.get("/all").stream->all()), Names{"put"});
}

TEST_F(LaunchDarklySdkStreamTest, StatesGoBackToTheKeeper) {
  {
    LaunchDarklyBench own;
    own.serve<LaunchDarklySdk>(std::uint64_t{7});
    own.take({flag_record("a", 1, "1")});
    const std::size_t before = own.states_returned;
    own.change({flag_record("a", 2, "1")});
    EXPECT_EQ(own.states_returned, before + 1);
  }
}

TEST_F(LaunchDarklySdkStreamTest, TooMany) {
  serve();
  std::vector<net::RecordingResponse> answers;
  for (std::size_t i = 0; i < SdkStreams::kStreamsMax; ++i) answers.push_back(bench.get("/all"));
  auto refused = bench.get("/all");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  answers.front().stream->stream->lose();
  EXPECT_EQ(bench.get("/all").status, 200);
}

TEST_F(LaunchDarklySdkStreamTest, OnlyItsOwnKeyOpensAnEnvironment) {
  serve();
  bench.take({flag_record("mine", 1, "1")});
  bench.take({flag_record("theirs", 1, "1")}, 0, 1);
  const char* const targets[] = {
      "/all",       "/flags",          "/sdk/stream",     "/sdk/poll",
      "/sdk/flags", "/sdk/latest-all", "/sdk/flags/mine", "/sdk/segments/mine"};
  for (const std::string target : targets) {
    for (const char* key : {"", "unknown", "sdk-key", "flagd-key"}) {
      auto answer = bench.get(target, {}, key);
      EXPECT_EQ(answer.status, 401) << target << " " << key;
      EXPECT_EQ(answer.text.find("mine"), std::string::npos);
    }
    auto prefixed = bench.get(target, {}, "api_key sdk-key-0");
    EXPECT_NE(prefixed.status, 401) << target;
    auto theirs = bench.get(target, {}, "sdk-key-1");
    const std::string text = theirs.stream ? theirs.stream->all() : theirs.text;
    EXPECT_EQ(text.find("\"mine\""), std::string::npos) << target;
  }
}

}  // namespace
}  // namespace flagstone::sidecar
