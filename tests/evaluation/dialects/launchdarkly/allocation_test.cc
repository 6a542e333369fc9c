// Evaluating allocates nothing once its memory has grown.
#include <gtest/gtest.h>

#include "evaluation/context_reader.h"
#include "evaluation/dialects/launchdarkly/wire/own_event_writer.h"
#include "evaluation/dialects/launchdarkly/wire/sdk_context.h"
#include "tests/evaluation/allocation_count.h"
#include "tests/evaluation/dialects/launchdarkly/flag_store.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

constexpr std::string_view kFlag =
    R"({"key":"f","version":1,"on":true,"salt":"s","variations":["a","b",{"c":1}],"offVariation":2,
"prerequisites":[{"key":"p","variation":1}],
"targets":[{"variation":0,"values":["someone","somebody","no one at all","x","y","z","w"]}],
"contextTargets":[{"contextKind":"org","variation":1,"values":["an organisation"]}],
"rules":[{"id":"one","variation":0,"clauses":[
  {"attribute":"email","op":"matches","values":["@example\\.(com|net)$","^root@"]},
  {"attribute":"version","op":"semVerLessThan","values":["2.0.0"]}]},
 {"id":"two","variation":0,"clauses":[{"attribute":"since","op":"after",
  "values":["2999-01-01T00:00:00Z"]}]},
 {"id":"three","clauses":[{"op":"segmentMatch","values":["s","gone"]}],
  "rollout":{"kind":"experiment","seed":61,"variations":[{"variation":1,"weight":100000}]}}],
"fallthrough":{"rollout":{"bucketBy":"age","variations":[{"variation":0,"weight":1}]}}})";
constexpr std::string_view kPrerequisite =
    R"({"key":"p","version":1,"on":true,"variations":[1,2],"fallthrough":{"variation":1}})";
constexpr std::string_view kSegment =
    R"({"key":"s","version":1,"salt":"t","included":["a","b","c","d","e","f","g","h"],
"rules":[{"weight":100000,"clauses":[{"contextKind":"user","attribute":"/address/city","op":"in",
"values":["Berlin","Rome"]}]}]})";

constexpr std::string_view kMultiContext =
    R"({"kind":"multi","user":{"key":"a user with a name longer than fifteen bytes",
"email":"ada@example.org","version":"1.2.3-rc.1","since":"2024-01-01T00:00:00Z",
"address":{"city":"Rome"}},"org":{"key":"another"}})";
constexpr std::string_view kSingleContext =
    R"({"targetingKey":"a user with a name longer than fifteen bytes","email":"x","age":7})";

TEST(LaunchDarklyAllocation, EvaluatingAllocatesNothingInTheSteadyState) {
  FlagStore store;
  ASSERT_TRUE(store.add_flag("f", kFlag)) << store.problem().message;
  ASSERT_TRUE(store.add_flag("p", kPrerequisite)) << store.problem().message;
  ASSERT_TRUE(store.add_segment("s", kSegment)) << store.problem().message;
  ContextReader reader;
  SdkContextReader sdk_reader;
  std::size_t by_rule = 0;
  std::size_t by_fallthrough = 0;
  std::size_t nobody = 0;
  const auto note = [&](const Evaluation& result) {
    by_rule += result.reason == Reason::kRuleMatch;
    by_fallthrough += result.reason == Reason::kFallthrough;
    nobody += result.error == ErrorCode::kTargetingKeyMissing;
  };
  const auto round = [&] {
    note(store.evaluate("f", *reader.read(kMultiContext)));
    note(store.evaluate("f", *reader.read(kSingleContext)));
    note(store.evaluate("f", *reader.read("{}")));
    note(store.evaluate("f", *sdk_reader.read(kMultiContext)));
    note(store.evaluate("f", *sdk_reader.read(R"({"key":"","email":"x","custom":{"age":1}})")));
  };
  for (int i = 0; i < 3; ++i) round();
  AllocationCount count;
  for (int i = 0; i < 100; ++i) round();
  EXPECT_EQ(count.stop(), 0U);
  EXPECT_EQ(by_rule, 206U);
  EXPECT_EQ(by_fallthrough, 206U);
  EXPECT_EQ(nobody, 103U);
}

// With whatever of the context has to stay here.
TEST(LaunchDarklyAllocation, TellingAllocatesNothingInTheSteadyState) {
  FlagFacts flag;
  flag.key = "f";
  Detail detail;
  detail.flag = &flag;
  detail.variation_index = 0;
  detail.value_json = "1";
  for (const bool all_attributes : {false, true}) {
    ContextReader reader;
    EventContext context;
    context.set_privacy({.all_attributes = all_attributes,
                         .attributes = {"email", "/address/city", "/a~1b/c"},
                         .omits_anonymous = true});
    std::string out;
    std::size_t told = 0;
    const auto round = [&] {
      for (const std::string_view text : {kMultiContext, kSingleContext}) {
        out.clear();
        if (!context.read(*reader.read(text))) continue;
        told += append_index_event(out, 1, context);
        append_full_event(out, FullEvent::kFeature, 1, detail, {}, false, context);
      }
    };
    for (int i = 0; i < 3; ++i) round();
    AllocationCount count;
    for (int i = 0; i < 100; ++i) round();
    EXPECT_EQ(count.stop(), 0U);
    EXPECT_EQ(told, 206U);
    EXPECT_FALSE(out.contains("ada@"));
  }
}

TEST(LaunchDarklyAllocation, ValidatingAllocatesNothing) {
  const auto dialect = make_launchdarkly_dialect();
  const RecordText flag{kFlagKind, {}, "f", kFlag};
  const RecordText segment{kSegmentKind, {}, "s", kSegment};
  ASSERT_TRUE(dialect->validate(flag));
  ASSERT_TRUE(dialect->validate(segment));
  AllocationCount count;
  const bool valid = dialect->validate(flag).has_value() && dialect->validate(segment).has_value();
  EXPECT_EQ(count.stop(), 0U);
  EXPECT_TRUE(valid);
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly
