#include "evaluation/dialects/launchdarkly/wire/own_event_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "evaluation/context_reader.h"
#include "evaluation/dialects/launchdarkly/wire/reason_writer.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'123;

Detail detail_like(const FlagFacts& flag) {
  Detail detail;
  detail.flag = &flag;
  detail.reason = ReasonKind::kFallthrough;
  detail.variation_index = 1;
  detail.value_json = R"({"a":1})";
  return detail;
}

class OwnEventWriter : public ::testing::Test {
 protected:
  OwnEventWriter() {
    EXPECT_TRUE(context_.read(*reader_.read(body_)));
    facts_.key = "flag";
    facts_.version = 7;
  }
  std::string full(FullEvent event, const Detail& detail, std::string_view prerequisite_of = {},
                   bool wrong_type = false) {
    std::string out;
    append_full_event(out, event, kNow, detail, prerequisite_of, wrong_type, context_);
    return out;
  }

  std::string body_ =
      R"({"key":"u","anonymous":true,"a":1,"s":"SECRET","privateAttributes":["s"]})";
  ContextReader reader_;
  EventContext context_;
  FlagFacts facts_;
};

constexpr std::string_view kShown =
    R"({"kind":"user","key":"u","a":1,"anonymous":true,"_meta":{"redactedAttributes":["s"]}})";
constexpr std::string_view kRedacted =
    R"({"kind":"user","key":"u","anonymous":true,"_meta":{"redactedAttributes":["a","s"]}})";

TEST_F(OwnEventWriter, AnIndexEventShowsTheContext) {
  std::string out;
  EXPECT_TRUE(append_index_event(out, kNow, context_));
  EXPECT_EQ(out, R"({"kind":"index","creationDate":1700000000123,"context":)" +
                     std::string(kShown) + "}");
}

TEST_F(OwnEventWriter, AFeatureEventRedactsAnonymousContexts) {
  EXPECT_EQ(
      full(FullEvent::kFeature, detail_like(facts_)),
      R"({"kind":"feature","creationDate":1700000000123,"key":"flag","version":7,"context":)" +
          std::string(kRedacted) +
          R"(,"variation":1,"value":{"a":1},"default":null,"reason":{"kind":"FALLTHROUGH"}})");
}

TEST_F(OwnEventWriter, ADebugEventShowsThem) {
  EXPECT_EQ(
      full(FullEvent::kDebug, detail_like(facts_)),
      R"({"kind":"debug","creationDate":1700000000123,"key":"flag","version":7,"context":)" +
          std::string(kShown) +
          R"(,"variation":1,"value":{"a":1},"default":null,"reason":{"kind":"FALLTHROUGH"}})");
}

TEST_F(OwnEventWriter, APrerequisiteNamesWhoseItIs) {
  facts_.sampling_ratio = 10;
  EXPECT_TRUE(
      full(FullEvent::kFeature, detail_like(facts_), "par\"ent")
          .ends_with(R"("default":null,"prereqOf":"par\"ent","reason":{"kind":"FALLTHROUGH"},)"
                     R"("samplingRatio":10})"));
}

TEST_F(OwnEventWriter, WithoutAVariationTheDefaultIsTheValue) {
  Detail detail = detail_like(facts_);
  detail.reason = ReasonKind::kOff;
  detail.variation_index = -1;
  detail.value_json = {};
  EXPECT_TRUE(full(FullEvent::kFeature, detail)
                  .ends_with(R"(},"value":null,"default":null,"reason":{"kind":"OFF"}})"));
}

TEST_F(OwnEventWriter, AWrongTypeIsAnErrorWithoutAVariation) {
  EXPECT_TRUE(full(FullEvent::kFeature, detail_like(facts_), {}, /*wrong_type=*/true)
                  .ends_with(R"(},"value":null,"default":null,)"
                             R"("reason":{"kind":"ERROR","errorKind":"WRONG_TYPE"}})"));
}

TEST(AppendReason, SaysWhatTheKindHas) {
  struct Row {
    Detail detail;
    std::string_view expected;
  };
  const auto of = [](ReasonKind kind, auto&& change) {
    Detail detail;
    detail.reason = kind;
    change(detail);
    return detail;
  };
  const auto nothing = [](Detail&) {};
  const std::vector<Row> rows = {
      {of(ReasonKind::kOff, nothing), R"({"kind":"OFF"})"},
      {of(ReasonKind::kTargetMatch, nothing), R"({"kind":"TARGET_MATCH"})"},
      {of(ReasonKind::kFallthrough, [](Detail& d) { d.in_experiment = true; }),
       R"({"kind":"FALLTHROUGH","inExperiment":true})"},
      {of(ReasonKind::kRuleMatch, [](Detail& d) { d.rule_index = 0; }),
       R"({"kind":"RULE_MATCH","ruleIndex":0})"},
      {of(ReasonKind::kRuleMatch,
          [](Detail& d) {
            d.rule_index = 2;
            d.rule_id = "id";
            d.in_experiment = true;
            d.big_segments = BigSegmentsStatus::kNotConfigured;
          }),
       R"({"kind":"RULE_MATCH","ruleIndex":2,"ruleId":"id","inExperiment":true,)"
       R"("bigSegmentsStatus":"NOT_CONFIGURED"})"},
      {of(ReasonKind::kPrerequisiteFailed, [](Detail& d) { d.prerequisite_key = "p"; }),
       R"({"kind":"PREREQUISITE_FAILED","prerequisiteKey":"p"})"},
      {of(ReasonKind::kError, [](Detail& d) { d.error = ErrorKind::kMalformedFlag; }),
       R"({"kind":"ERROR","errorKind":"MALFORMED_FLAG"})"},
  };
  for (const Row& row : rows) {
    std::string out;
    append_reason(out, row.detail);
    EXPECT_EQ(out, row.expected);
  }
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly
