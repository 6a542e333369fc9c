// evalx: all flags for one context, as LaunchDarkly's relay answers.
#include "sidecar/api/launchdarkly_sdk_evalx.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "tests/sidecar/api/launchdarkly_bench.h"

namespace flagstone::sidecar {
namespace {

constexpr std::string_view kUser = R"({"kind":"user","key":"u"})";
// The same in base64url.
constexpr std::string_view kUserEncoded = "eyJraW5kIjoidXNlciIsImtleSI6InUifQ";

evaluation::Record raw_flag(std::string_view key, std::string_view members) {
  evaluation::Record record = flag_record(key, 1, "1");
  record.raw = R"({"key":")" + std::string(key) + R"(","salt":"s",)" + std::string(members) + "}";
  return record;
}

class LaunchDarklySdkEvalxTest : public ::testing::Test {
 protected:
  LaunchDarklySdkEvalxTest() { bench.serve<LaunchDarklySdkEvalx>(); }

  net::RecordingResponse report(std::string_view body, std::string_view query = "",
                                std::string_view type = "application/json") {
    return bench.request(net::Method::kReport, "/sdk/evalx/context" + std::string(query),
                         {{"content-type", type}}, body);
  }
  std::string one(const evaluation::Record& record, std::string_view query = "") {
    bench.take({record});
    return report(kUser, query).text;
  }

  LaunchDarklyBench bench{2};
};

TEST_F(LaunchDarklySdkEvalxTest, ByEveryWay) {
  bench.take({flag_record("a", 3, "\"x\"")});
  const std::string expected = R"({"a":{"value":"x","variation":0,"version":3}})";
  const std::string encoded(kUserEncoded);
  EXPECT_EQ(bench.get("/sdk/evalx/contexts/" + encoded).text, expected);
  EXPECT_EQ(bench.get("/sdk/evalx/users/" + encoded).text, expected);
  EXPECT_EQ(report(kUser).text, expected);
  EXPECT_EQ(report(kUser).content_type, "application/json");
  EXPECT_EQ(report(kUser, "", "application/json; charset=utf-8").text, expected);
  EXPECT_EQ(bench
                .request(net::Method::kReport, "/sdk/evalx/user",
                         {{"content-type", "application/json"}}, R"({"key":"u"})")
                .text,
            expected);
  EXPECT_EQ(report(kUser, "?withReasons=true").text,
            R"({"a":{"value":"x","variation":0,"version":3,"reason":{"kind":"OFF"}}})");
  EXPECT_EQ(report(kUser, "?withReasons=false").text, expected);
  EXPECT_EQ(bench.desk()
                .counters
                .evaluations[static_cast<std::size_t>(Api::kLaunchDarklyEvalx)][0]
                            [static_cast<std::size_t>(evaluation::Reason::kDisabled)]
                .read(),
            8u);
}

TEST_F(LaunchDarklySdkEvalxTest, Members) {
  const struct {
    std::string_view flag;
    std::string_view query;
    std::string_view expected;
  } cases[] = {
      // Nothing chosen: no value, no variation.
      {R"("version":2,"on":false,"variations":[1,2])", "",
       R"({"value":null,"variation":null,"version":2})"},
      {R"("version":2,"on":true,"variations":[1,2],"fallthrough":{"variation":1},"trackEvents":true)",
       "", R"({"value":2,"variation":1,"version":2,"trackEvents":true})"},
      // An experiment has its reason, whether it was asked for or not.
      {R"("version":2,"on":true,"variations":[1.50],"fallthrough":{"variation":0},)"
       R"("trackEventsFallthrough":true,"debugEventsUntilDate":1700000000000)",
       "",
       R"({"value":1.50,"variation":0,"version":2,"trackEvents":true,"trackReason":true,)"
       R"("reason":{"kind":"FALLTHROUGH"},"debugEventsUntilDate":1700000000000})"},
      {R"("version":2,"on":true,"variations":[1],"fallthrough":{"rollout":{"kind":"experiment",)"
       R"("variations":[{"variation":0,"weight":100000}]}})",
       "",
       R"({"value":1,"variation":0,"version":2,"trackEvents":true,"trackReason":true,)"
       R"("reason":{"kind":"FALLTHROUGH","inExperiment":true}})"},
      {R"("version":2,"on":true,"variations":[{"a":[1]}],"targets":[{"values":["u"],"variation":0}])",
       "?withReasons=true",
       R"({"value":{"a":[1]},"variation":0,"version":2,"reason":{"kind":"TARGET_MATCH"}})"},
      {R"("version":2,"on":true,"variations":[1],"rules":[{"id":"r\"1","clauses":[],"variation":0}])",
       "?withReasons=true",
       R"({"value":1,"variation":0,"version":2,)"
       R"("reason":{"kind":"RULE_MATCH","ruleIndex":0,"ruleId":"r\"1"}})"},
      {R"("version":2,"on":true,"variations":[1],"fallthrough":{"variation":5})",
       "?withReasons=true",
       R"({"value":null,"variation":null,"version":2,)"
       R"("reason":{"kind":"ERROR","errorKind":"MALFORMED_FLAG"}})"},
      {R"("version":2,"on":true,"offVariation":0,"variations":[1],)"
       R"("prerequisites":[{"key":"none","variation":0}])",
       "?withReasons=true",
       R"({"value":1,"variation":0,"version":2,)"
       R"("reason":{"kind":"PREREQUISITE_FAILED","prerequisiteKey":"none"}})"},
  };
  for (const auto& row : cases) {
    EXPECT_EQ(one(raw_flag("f", row.flag), row.query), "{\"f\":" + std::string(row.expected) + "}")
        << row.flag;
  }
}

TEST_F(LaunchDarklySdkEvalxTest, DirectPrerequisitesInOrder) {
  const std::string rest = R"("version":1,"on":true,"offVariation":0,"variations":[1,2],)"
                           R"("fallthrough":{"variation":1})";
  bench.take({raw_flag("deep", rest),
              raw_flag("p1", rest + R"(,"prerequisites":[{"key":"deep","variation":1}])"),
              raw_flag("p2", rest), raw_flag("p3", rest),
              raw_flag("top", rest + R"(,"prerequisites":[{"key":"p2","variation":1},)"
                                     R"({"key":"p1","variation":1},{"key":"p3","variation":0},)"
                                     R"({"key":"deep","variation":1}])")});
  simdjson::dom::parser parser;
  const std::string text = report(kUser).text;
  const auto json = parser.parse(text);
  EXPECT_EQ(simdjson::minify(json["top"]["prerequisites"]), R"(["p2","p1","p3"])")
      << "up to the first that fails";
  EXPECT_EQ(simdjson::minify(json["p1"]["prerequisites"]), R"(["deep"])");
  EXPECT_EQ(json["deep"]["prerequisites"].error(), simdjson::NO_SUCH_FIELD);
}

TEST_F(LaunchDarklySdkEvalxTest, Refusals) {
  const auto no_data = report(kUser);
  EXPECT_EQ(no_data.status, 503);
  EXPECT_EQ(no_data.header("Retry-After"), "1");
  bench.take({flag_record("a", 1, "1")});
  EXPECT_EQ(report(kUser, "", "text/plain").status, 415);
  EXPECT_EQ(bench.request(net::Method::kReport, "/sdk/evalx/context", {}, kUser).status, 415);
  for (const std::string_view body :
       {"", "{", "[]", "{}", R"({"kind":"user"})", R"({"kind":"user","key":""})",
        R"({"kind":"kind","key":"x"})", R"({"key":""})", R"({"kind":"multi"})"}) {
    const auto answer = report(body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_TRUE(answer.text.starts_with("{\"message\":\"")) << answer.text;
  }
  EXPECT_EQ(bench.get("/sdk/evalx/contexts/***").status, 400);
  EXPECT_EQ(bench.get("/sdk/evalx/users/e30").status, 400);
  for (const std::string_view key : {"", "unknown", "flagd-key"}) {
    EXPECT_EQ(bench.get("/sdk/evalx/users/" + std::string(kUserEncoded), {}, key).status, 401);
  }
  EXPECT_EQ(bench.get("/sdk/evalx/users/" + std::string(kUserEncoded), {}, "sdk-key-1").status, 503)
      << "the other environment has none yet";
}

TEST_F(LaunchDarklySdkEvalxTest, APinIsAnOffFlag) {
  bench.take({flag_record("a", 3, "\"x\"")});
  bench.pin({{.key = "a", .value_json = "[1]"}});
  EXPECT_EQ(report(kUser, "?withReasons=true").text,
            R"({"a":{"value":[1],"variation":0,"version":1,"reason":{"kind":"OFF"}}})");
}

TEST_F(LaunchDarklySdkEvalxTest, ManyGoOutInSlicesForTheirOwnContext) {
  bench.desk().settings.bulk_slice = std::chrono::hours(1);
  std::vector<evaluation::Record> records;
  for (int i = 0; i < 8000; ++i) {
    records.push_back(raw_flag("flag-" + std::to_string(i),
                               R"("version":1,"on":true,"variations":["first","other"],)"
                               R"("fallthrough":{"variation":1},)"
                               R"("targets":[{"values":["u"],"variation":0}])"));
  }
  bench.take(std::move(records));
  auto mine = report(kUser);
  auto theirs = report(R"({"kind":"user","key":"somebody"})");
  ASSERT_NE(mine.stream, nullptr);
  bench.turn_until([&] { return !mine.stream->open && !theirs.stream->open; });
  simdjson::dom::parser parser;
  const struct {
    net::RecordingResponse& answer;
    std::string_view value;
  } both[] = {{mine, "first"}, {theirs, "other"}};
  for (const auto& [answer, value] : both) {
    const std::string text = answer.text + answer.stream->all();
    std::size_t count = 0;
    for (const auto& [key, flag] : simdjson::dom::object(parser.parse(text))) {
      EXPECT_EQ(std::string_view(flag["value"]), value);
      ++count;
    }
    EXPECT_EQ(count, 8000u);
  }
}

}  // namespace
}  // namespace flagstone::sidecar
