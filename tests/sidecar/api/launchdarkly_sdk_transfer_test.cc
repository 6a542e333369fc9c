// Flag delivery v2: which basis gets what, byte for byte.
#include <gtest/gtest.h>

#include "sidecar/api/launchdarkly_sdk.h"
#include "tests/sidecar/api/launchdarkly_bench.h"
#include "tests/sidecar/api/sdk_store.h"

namespace flagstone::sidecar {
namespace {

class LaunchDarklySdkTransferTest : public ::testing::Test {
 protected:
  LaunchDarklySdkTransferTest() {
    bench.serve<LaunchDarklySdk>(std::uint64_t{0xabc});
    bench.take({flag_record("a", 1, "1"), segment_record("s", 2, "u")});
  }
  static std::string intent(std::string_view code, std::string_view reason, int version) {
    return R"({"payloads":[{"id":"env-0","target":)" + std::to_string(version) +
           R"(,"intentCode":")" + std::string(code) + R"(","reason":")" + std::string(reason) +
           "\"}]}";
  }
  static std::string state(int version) { return "0000000000000abc-0-" + std::to_string(version); }
  static std::string transferred(int version) {
    return R"({"state":")" + state(version) + R"(","version":)" + std::to_string(version) + "}";
  }
  static std::string object(std::string_view kind, std::string_view key, int version,
                            const std::string& raw) {
    return R"({"version":)" + std::to_string(version) + R"(,"kind":")" + std::string(kind) +
           R"(","key":")" + std::string(key) + "\"" + (raw.empty() ? "" : R"(,"object":)" + raw) +
           "}";
  }
  static std::string event(std::string_view name, const std::string& data) {
    return "event: " + std::string(name) + "\ndata: " + data + "\n\n";
  }
  static std::string polled(std::string_view name, const std::string& data) {
    return R"({"event":")" + std::string(name) + R"(","data":)" + data + "}";
  }

  LaunchDarklyBench bench{2};
};

TEST_F(LaunchDarklySdkTransferTest, WithoutABasisEverythingThenWhatChanges) {
  auto stream = bench.get("/sdk/stream").stream;
  EXPECT_EQ(stream->all(),
            event("server-intent", intent("xfer-full", "cant-catchup", 1)) +
                event("put-object", object("flag", "a", 1, ld_flag("a", 1, "1"))) +
                event("put-object", object("segment", "s", 2, ld_segment("s", 2, "u"))) +
                event("payload-transferred", transferred(1)));
  stream->sent.clear();
  bench.change({flag_record("a", 2, "2"), deleted_record(segment_record("s", 3, ""))});
  const std::string all = stream->all();
  EXPECT_TRUE(all.starts_with(event("server-intent", intent("xfer-changes", "stale", 2)))) << all;
  EXPECT_NE(all.find(event("put-object", object("flag", "a", 2, ld_flag("a", 2, "2")))),
            std::string::npos);
  EXPECT_NE(all.find(event("delete-object", object("segment", "s", 3, ""))), std::string::npos);
  EXPECT_TRUE(all.ends_with(event("payload-transferred", transferred(2)))) << all;
}

TEST_F(LaunchDarklySdkTransferTest, ABasisThatIsCurrent) {
  auto stream = bench.get("/sdk/stream?basis=" + state(1)).stream;
  EXPECT_EQ(stream->all(), event("server-intent", intent("none", "up-to-date", 1)));
  stream->sent.clear();
  bench.change({flag_record("a", 2, "2")});
  EXPECT_EQ(stream->all(), event("server-intent", intent("xfer-changes", "stale", 2)) +
                               event("put-object", object("flag", "a", 2, ld_flag("a", 2, "2"))) +
                               event("payload-transferred", transferred(2)));
  EXPECT_EQ(bench.get("/sdk/poll?basis=" + state(2)).text,
            "{\"events\":[" + polled("server-intent", intent("none", "up-to-date", 2)) + "]}");
}

TEST_F(LaunchDarklySdkTransferTest, ABasisInTheLogGetsTheNetChanges) {
  bench.change({flag_record("a", 2, "2")});
  bench.change({flag_record("b", 3, "3")});
  bench.change({flag_record("a", 4, "4"), deleted_record(flag_record("b", 4, ""))});
  const std::string changes_of_a =
      polled("server-intent", intent("xfer-changes", "stale", 4)) + "," +
      polled("put-object", object("flag", "a", 4, ld_flag("a", 4, "4"))) + ",";
  const std::string end = polled("payload-transferred", transferred(4)) + "]}";
  EXPECT_EQ(bench.get("/sdk/poll?basis=" + state(1)).text, "{\"events\":[" + changes_of_a + end)
      << "b came and went meanwhile";
  const std::string since_3 = bench.get("/sdk/poll?basis=" + state(3)).text;
  EXPECT_NE(since_3.find(polled("delete-object", object("flag", "b", 4, ""))), std::string::npos)
      << since_3;
  auto stream = bench.get("/sdk/stream?basis=" + state(1)).stream;
  EXPECT_EQ(stream->all(), event("server-intent", intent("xfer-changes", "stale", 4)) +
                               event("put-object", object("flag", "a", 4, ld_flag("a", 4, "4"))) +
                               event("payload-transferred", transferred(4)));
}

TEST_F(LaunchDarklySdkTransferTest, AChangeAndItsOppositeAreNothing) {
  bench.change({flag_record("a", 2, "2")}, 0, true);
  bench.change({flag_record("a", 1, "1")}, 0, true);
  EXPECT_EQ(bench.get("/sdk/poll?basis=" + state(1)).text,
            "{\"events\":[" + polled("server-intent", intent("xfer-changes", "stale", 3)) + "," +
                polled("payload-transferred", transferred(3)) + "]}");
}

TEST_F(LaunchDarklySdkTransferTest, APinIsAChangeWhereVersionsAreNotCompared) {
  bench.pin({{.key = "a", .value_json = "\"pinned\""}});
  SdkStore store;
  store.apply_poll(bench.get("/sdk/poll").text);
  EXPECT_NE(store.objects_held().at({"flag", "a"}).find("pinned"), std::string::npos);
  bench.pin({});
  store.apply_poll(bench.get("/sdk/poll?basis=" + store.basis).text);
  EXPECT_EQ(store.intent, "xfer-changes");
  EXPECT_EQ(store.objects_held().at({"flag", "a"}), ld_flag("a", 1, "1"));
}

TEST_F(LaunchDarklySdkTransferTest, AnyOtherBasisGetsEverything) {
  bench.take({flag_record("other", 1, "1")}, 0, 1);
  bench.change({flag_record("a", 2, "2")});
  const std::string foreign[] = {"",
                                 "x",
                                 "0000000000000abd-0-1",  // another process
                                 "0000000000000abc-1-1",  // another environment
                                 "0000000000000abc-0-",
                                 "0000000000000abc-0-1x",
                                 "0000000000000abc-0-99",
                                 "0000000000000abc-0-0",
                                 "0000000000000abc-0-99999999999999999999999",
                                 "%zz",
                                 "(p:abc:1)"};
  for (const std::string& basis : foreign) {
    SdkStore store;
    store.apply_poll(bench.get("/sdk/poll?basis=" + basis).text);
    EXPECT_EQ(store.intent, "xfer-full") << basis;
    EXPECT_EQ(store.objects_held().size(), 2u) << basis;
    const auto stream = bench.get("/sdk/stream?basis=" + basis).stream;
    EXPECT_NE(stream->all().find("xfer-full"), std::string::npos) << basis;
  }
  // As an SDK writes it into its query.
  SdkStore store;
  store.apply_poll(bench.get("/sdk/poll?x=y&basis=0000000000000abc%2D0%2D1").text);
  EXPECT_EQ(store.intent, "xfer-changes");
}

TEST_F(LaunchDarklySdkTransferTest, WhatTheLogHasForgotten) {
  std::int64_t version = 1;
  for (int step = 0; step < 30; ++step) {
    std::vector<evaluation::Record> records;
    for (int i = 0; i < 900; ++i) {
      records.push_back(flag_record("flag-" + std::to_string(i), version, "1"));
    }
    ++version;
    bench.change(std::move(records));
  }
  auto old = bench.get("/sdk/poll?basis=" + state(1));
  EXPECT_NE(bench.text_of(old).find("xfer-full"), std::string::npos);
  auto recent = bench.get("/sdk/poll?basis=" + state(30));
  EXPECT_NE(bench.text_of(recent).find("xfer-changes"), std::string::npos);
}

TEST_F(LaunchDarklySdkTransferTest, AStateGivenBeforeAnEnvironmentWasTakenOutIsNoneOfOurs) {
  bench.taken_out = 0;
  bench.publish();
  bench.taken_out = -1;
  bench.publish();
  SdkStore store;
  store.apply_poll(bench.get("/sdk/poll?basis=" + state(1)).text);
  EXPECT_EQ(store.intent, "xfer-full");
}

TEST_F(LaunchDarklySdkTransferTest, ThePollsTagNamesWhereTheClientStands) {
  const auto first = bench.get("/sdk/poll");
  const std::string etag = first.header("ETag");
  EXPECT_EQ(bench.get("/sdk/poll?basis=" + state(1), {{"if-none-match", etag}}).status, 304);
  bench.change({flag_record("a", 2, "2")});
  const auto changed = bench.get("/sdk/poll?basis=" + state(1), {{"if-none-match", etag}});
  EXPECT_EQ(changed.status, 200);
  EXPECT_NE(changed.header("ETag"), etag);
}

TEST_F(LaunchDarklySdkTransferTest, LargeOnesInSlices) {
  bench.take(flag_records(3000, 300));
  auto answer = bench.get("/sdk/poll");
  ASSERT_NE(answer.stream, nullptr);
  SdkStore store;
  store.apply_poll(bench.text_of(answer));
  EXPECT_EQ(store.objects_held().size(), 3000u);
  EXPECT_EQ(store.basis, state(2));
}

}  // namespace
}  // namespace flagstone::sidecar
