// Polls: what they answer, by which tags they are spared it, and without data.
#include <gtest/gtest.h>

#include <simdjson.h>
#include "sidecar/api/flagd_sync.h"
#include "sidecar/api/launchdarkly_sdk.h"
#include "tests/sidecar/api/launchdarkly_bench.h"

namespace flagstone::sidecar {
namespace {

class LaunchDarklySdkPollTest : public ::testing::Test {
 protected:
  LaunchDarklySdkPollTest() { bench.serve<LaunchDarklySdk>(std::uint64_t{7}); }

  LaunchDarklyBench bench{2};
};

TEST_F(LaunchDarklySdkPollTest, TheDocuments) {
  bench.take({flag_record("a", 1, "1"), segment_record("s", 2, "u")});
  const std::string a = "\"a\":" + ld_flag("a", 1, "1");
  EXPECT_EQ(bench.get("/sdk/latest-all").text,
            "{\"flags\":{" + a + "},\"segments\":{\"s\":" + ld_segment("s", 2, "u") + "}}");
  EXPECT_EQ(bench.get("/sdk/flags").text, "{" + a + "}");
  EXPECT_EQ(bench.get("/sdk/flags/a").text, ld_flag("a", 1, "1"));
  EXPECT_EQ(bench.get("/sdk/segments/s").text, ld_segment("s", 2, "u"));
  EXPECT_EQ(bench.get("/sdk/flags/a").content_type, "application/json");
  EXPECT_EQ(bench.get("/sdk/flags/s").status, 404);
  EXPECT_EQ(bench.get("/sdk/segments/a").status, 404);
  bench.take({});
  EXPECT_EQ(bench.get("/sdk/latest-all").text, R"({"flags":{},"segments":{}})");
  EXPECT_EQ(bench.get("/sdk/flags").text, "{}");
}

TEST_F(LaunchDarklySdkPollTest, ATagSparesTheBody) {
  bench.take({flag_record("a", 1, "1"), flag_record("b", 1, "1"), segment_record("s", 2, "u")});
  for (const std::string target :
       {"/sdk/latest-all", "/sdk/flags", "/sdk/flags/a", "/sdk/segments/s", "/sdk/poll"}) {
    SCOPED_TRACE(target);
    const auto first = bench.get(target);
    const std::string etag = first.header("ETag");
    EXPECT_EQ(first.status, 200);
    EXPECT_TRUE(etag.starts_with('"')) << etag << ": strong";
    const auto again = bench.get(target, {{"if-none-match", etag}});
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.text, "");
    EXPECT_EQ(again.header("ETag"), etag);
    EXPECT_EQ(bench.get(target, {{"if-none-match", "\"other\""}}).status, 200);
  }
  const std::string all = bench.get("/sdk/latest-all").header("ETag");
  const std::string a = bench.get("/sdk/flags/a").header("ETag");
  EXPECT_NE(all, bench.get("/sdk/flags").header("ETag"));
  bench.stale = true;
  bench.publish();
  EXPECT_EQ(bench.get("/sdk/latest-all", {{"if-none-match", all}}).status, 304);
  bench.change({flag_record("b", 2, "2")});
  EXPECT_EQ(bench.get("/sdk/latest-all", {{"if-none-match", all}}).status, 200);
  EXPECT_EQ(bench.get("/sdk/flags/a", {{"if-none-match", a}}).status, 304) << "a is as it was";
}

TEST_F(LaunchDarklySdkPollTest, TheSameContentHasTheSameTagInAnotherProcess) {
  bench.take({flag_record("a", 1, "1"), flag_record("b", 1, "1")});
  LaunchDarklyBench other;
  other.serve<LaunchDarklySdk>(std::uint64_t{8});
  other.take({flag_record("b", 1, "1"), flag_record("a", 1, "1")});
  EXPECT_EQ(bench.get("/sdk/latest-all").header("ETag"),
            other.get("/sdk/latest-all").header("ETag"));
  EXPECT_EQ(bench.get("/sdk/latest-all").text, other.get("/sdk/latest-all").text);
}

TEST_F(LaunchDarklySdkPollTest, WithoutDataTheyAreToComeAgain) {
  for (const std::string target :
       {"/sdk/latest-all", "/sdk/flags", "/sdk/flags/a", "/sdk/segments/s", "/sdk/poll"}) {
    const auto answer = bench.get(target);
    EXPECT_EQ(answer.status, 503) << target;
    EXPECT_EQ(answer.header("Retry-After"), "1");
  }
}

TEST_F(LaunchDarklySdkPollTest, LargeDocumentsGoOutInSlices) {
  bench.desk().settings.bulk_slice = std::chrono::hours(1);
  bench.take(flag_records(3000, 500));
  auto answer = bench.get("/sdk/latest-all");
  ASSERT_NE(answer.stream, nullptr);
  EXPECT_FALSE(answer.header("ETag").empty());
  // What changes meanwhile is for the next who asks.
  bench.change({flag_record("flag-7", 2, "\"changed\"")});
  bench.turn(3);
  answer.stream->refusing = true;
  bench.turn(3);
  answer.stream->stream->drain();
  const std::string text = bench.text_of(answer);
  EXPECT_TRUE(text.ends_with("},\"segments\":{}}"));
  EXPECT_EQ(text.find("changed"), std::string::npos);
  simdjson::dom::parser parser;
  EXPECT_EQ(simdjson::dom::object(parser.parse(text)["flags"]).size(), 3000u);
  for (const std::string& slice : answer.stream->sent) {
    EXPECT_LE(slice.size(), SlicedAnswers::kSliceBytes + 8192);
  }
  const std::size_t returned = bench.states_returned;
  auto lost = bench.get("/sdk/latest-all");
  lost.stream->stream->lose();
  EXPECT_EQ(bench.states_returned, returned + 1);
  std::vector<net::RecordingResponse> under_way;
  for (std::size_t i = 0; i < SlicedAnswers::kUnderWayMax; ++i) {
    under_way.push_back(bench.get("/sdk/latest-all"));
  }
  EXPECT_EQ(bench.get("/sdk/latest-all").status, 503);
}

TEST_F(LaunchDarklySdkPollTest, FlagdsSyncServiceDoesNotServeThem) {
  bench.serve<FlagdSync>();
  EXPECT_EQ(bench.get("/v1/flags").status, 404) << "before there is data, too";
  bench.take({flag_record("a", 1, "1")});
  const auto answer = bench.get("/v1/flags");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.text, "this environment's flags are not flagd's");
}

}  // namespace
}  // namespace flagstone::sidecar
