// LaunchDarkly's flags over the apis that every environment has: its answers differ from flagd's in
// that a flag which is off has a value, and in three more reasons.
#include <gtest/gtest.h>

#include "evaluation/dialects/launchdarkly/launchdarkly_dialect.h"
#include "sidecar/api/flagd_evaluation.h"
#include "sidecar/api/ofrep.h"
#include "tests/sidecar/api/flagd_served.h"

namespace flagstone::sidecar {
namespace {

constexpr const char* kV1 = "/flagd.evaluation.v1.Service/";
constexpr const char* kV2 = "/flagd.evaluation.v2.Service/";
constexpr const char* kSchema = "/schema.v1.Service/";
constexpr std::string_view kOfrep = "/ofrep/v1/evaluate/flags";

evaluation::Update records() {
  constexpr std::pair<std::string_view, std::string_view> kFlags[] = {
      {"off", R"("on":false,"offVariation":1)"},
      {"off-nothing", R"("on":false)"},
      {"off-null", R"("on":false,"offVariation":2)"},
      {"on", R"("on":true,"fallthrough":{"variation":0})"},
      {"rule", R"("on":true,"rules":[{"id":"r","variation":0,"clauses":[]}])"},
      {"needs", R"("on":true,"offVariation":1,"prerequisites":[{"key":"gone","variation":0}])"},
      {"needs-nothing", R"("on":true,"prerequisites":[{"key":"gone","variation":0}])"},
      {"broken", R"("on":true,"fallthrough":{"variation":9})"},
  };
  evaluation::Update update;
  for (const auto& [key, members] : kFlags) {
    evaluation::Record record;
    record.id.key = key;
    record.raw =
        R"({"key":")" + std::string(key) + R"(","version":1,"variations":[true,false,null],)";
    record.raw.append(members).append("}");
    update.records.push_back(std::move(record));
  }
  return update;
}

class LaunchDarklyEvaluationTest : public ::testing::Test {
 protected:
  LaunchDarklyEvaluationTest()
      : served(evaluation::launchdarkly::make_launchdarkly_dialect(), records()),
        calls(served.desk),
        ofrep(served.loop, served.desk) {
    calls.add_routes(served.router);
    ofrep.add_routes(served.router);
  }

  FlagdServed served;
  FlagdEvaluation calls;
  Ofrep ofrep;
};

struct Call {
  const char* service;
  const char* key;
  int status;
  const char* body;
};

TEST_F(LaunchDarklyEvaluationTest, AnswersTypedCalls) {
  constexpr const char* kNotFound = R"({"code":"not_found","message":"Flag not found"})";
  constexpr const char* kMismatch =
      R"({"code":"invalid_argument","message":"Type mismatch error"})";
  const Call rows[] = {
      {kV1, "off", 200,
       R"({"value":false,"reason":"DISABLED","variant":"1","metadata":{"variationIndex":1}})"},
      {kV2, "off", 200,
       R"({"value":false,"reason":"DISABLED","variant":"1","metadata":{"variationIndex":1}})"},
      {kSchema, "off", 200,
       R"({"value":false,"reason":"DISABLED","variant":"1","metadata":{"variationIndex":1}})"},
      {kV1, "off-nothing", 200,
       R"({"value":false,"reason":"DISABLED","variant":"","metadata":{}})"},
      {kV2, "off-nothing", 200, R"({"reason":"DISABLED","metadata":{}})"},
      {kV2, "off-null", 400, kMismatch},
      {kV1, "on", 200,
       R"({"value":true,"reason":"FALLTHROUGH","variant":"0","metadata":{"variationIndex":0}})"},
      {kV2, "rule", 200,
       R"({"value":true,"reason":"RULE_MATCH","variant":"0","metadata":{"variationIndex":0,)"
       R"("ruleIndex":0,"ruleId":"r"}})"},
      {kV1, "needs", 200,
       R"({"value":false,"reason":"PREREQUISITE_FAILED","variant":"1","metadata":{)"
       R"("variationIndex":1,"prerequisiteKey":"gone"}})"},
      // v1 has no way to say "take your own default", v2 has.
      {kV1, "needs-nothing", 404, kNotFound},
      {kV2, "needs-nothing", 200,
       R"({"reason":"PREREQUISITE_FAILED","metadata":{"prerequisiteKey":"gone"}})"},
  };
  for (const Call& row : rows) {
    const auto response = served.ask_json(
        std::string(row.service) + "ResolveBoolean",
        R"({"flagKey":")" + std::string(row.key) + R"(","context":{"targetingKey":"u"}})");
    EXPECT_EQ(response.status, row.status) << row.service << row.key;
    EXPECT_EQ(response.text, row.body) << row.service << row.key;
  }
}

TEST_F(LaunchDarklyEvaluationTest, AnswersAllInOneCall) {
  const auto response =
      served.ask_json(std::string(kV1) + "ResolveAll", R"({"context":{"targetingKey":"u"}})");
  for (const char* there :
       {R"("off":{"reason":"DISABLED","variant":"1","boolValue":false)",
        R"("off-nothing":{"reason":"DISABLED","variant":"","metadata":)",
        R"("on":{"reason":"FALLTHROUGH","variant":"0","boolValue":true)",
        R"("needs":{"reason":"PREREQUISITE_FAILED","variant":"1","boolValue":false)"}) {
    EXPECT_NE(response.text.find(there), std::string::npos) << there << "\n" << response.text;
  }
  for (const char* absent : {"\"off-null\"", "\"needs-nothing\"", "\"broken\""}) {
    EXPECT_EQ(response.text.find(absent), std::string::npos) << absent;
  }
}

TEST_F(LaunchDarklyEvaluationTest, AnswersOverOfrep) {
  struct Row {
    std::string_view key;
    int status;
    std::string_view body;
  };
  constexpr Row kRows[] = {
      {"off", 200,
       R"({"key":"off","reason":"DISABLED","value":false,"variant":"1","metadata":{"variationIndex":1}})"},
      {"off-nothing", 200, R"({"key":"off-nothing","reason":"DISABLED","metadata":{}})"},
      {"off-null", 200,
       R"({"key":"off-null","reason":"DISABLED","value":null,"variant":"2","metadata":{"variationIndex":2}})"},
      {"needs", 200,
       R"({"key":"needs","reason":"PREREQUISITE_FAILED","value":false,"variant":"1","metadata":)"
       R"({"variationIndex":1,"prerequisiteKey":"gone"}})"},
      {"broken", 400,
       R"({"key":"broken","errorCode":"PARSE_ERROR","errorDetails":"a variation is named that does not exist","metadata":{}})"},
  };
  for (const Row& row : kRows) {
    const auto response = served.ask_json(std::string(kOfrep) + "/" + std::string(row.key),
                                          R"({"context":{"targetingKey":"u"}})");
    EXPECT_EQ(response.status, row.status) << row.key;
    EXPECT_EQ(response.text, row.body) << row.key;
  }
  const auto nobody = served.ask_json(std::string(kOfrep) + "/on", R"({"context":{}})");
  EXPECT_EQ(nobody.status, 400);
  EXPECT_NE(nobody.text.find(R"("errorCode":"TARGETING_KEY_MISSING")"), std::string::npos)
      << nobody.text;
  const auto count = [&](evaluation::Reason reason) {
    return served.desk.counters
        .evaluations[static_cast<std::size_t>(Api::kOfrep)][0][static_cast<std::size_t>(reason)]
        .read();
  };
  EXPECT_EQ(count(evaluation::Reason::kDisabled), 3U);
  EXPECT_EQ(count(evaluation::Reason::kPrerequisiteFailed), 1U);
  EXPECT_EQ(count(evaluation::Reason::kError), 2U);
}

}  // namespace
}  // namespace flagstone::sidecar
