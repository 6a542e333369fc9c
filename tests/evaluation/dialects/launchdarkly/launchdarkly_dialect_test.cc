#include "evaluation/dialects/launchdarkly/launchdarkly_dialect.h"

#include <gtest/gtest.h>

#include "tests/evaluation/dialects/launchdarkly/flag_store.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

struct Case {
  std::string_view what;
  std::string_view flag;  // Without its key and variations.
  std::string_view context;
  std::string_view expected;
};

constexpr std::string_view kUser = R"({"targetingKey":"u1","country":"DE","tier":3})";

constexpr Case kCases[] = {
    {"off", R"("on":false,"offVariation":1)", kUser, R"(DISABLED 1 "b" {"variationIndex":1})"},
    {"off without a value", R"("on":false)", kUser, "DISABLED {}"},
    {"off with a variation that is none", R"("on":false,"offVariation":9)", kUser,
     "ERROR PARSE_ERROR"},
    {"fallthrough", R"("on":true,"fallthrough":{"variation":2})", kUser,
     R"(FALLTHROUGH 2 {"c":[1.0]} {"variationIndex":2})"},
    {"nobody", R"("on":true,"fallthrough":{"variation":2})", "{}", "ERROR TARGETING_KEY_MISSING"},
    {"target", R"("on":true,"targets":[{"values":["x","u1"],"variation":1}])", kUser,
     R"(TARGETING_MATCH 1 "b" {"variationIndex":1})"},
    {"rule",
     R"("on":true,"fallthrough":{"variation":0},"rules":[{"id":"r0","variation":0,"clauses":
        [{"attribute":"country","op":"in","values":["FR"]}]},{"id":"r1","variation":1,"clauses":
        [{"attribute":"country","op":"in","values":["FR","DE"]},
         {"attribute":"tier","op":"greaterThan","values":[2]}]}])",
     kUser, R"(RULE_MATCH 1 "b" {"variationIndex":1,"ruleIndex":1,"ruleId":"r1"})"},
    {"neither variation nor rollout", R"("on":true,"fallthrough":{})", kUser, "ERROR PARSE_ERROR"},
};

TEST(LaunchDarklyDialect, AnswersAsTheVendorsProvider) {
  for (const Case& test : kCases) {
    FlagStore store;
    const std::string flag = R"({"key":"f","version":7,"variations":["a", "b", {"c" : [1.0]}],)" +
                             std::string(test.flag) + "}";
    ASSERT_TRUE(store.add_flag("f", flag)) << test.what << store.problem().message;
    EXPECT_EQ(store.answer("f", test.context), test.expected) << test.what;
  }
}

TEST(LaunchDarklyDialect, APinIsAnOffFlagThatAnswersEverybody) {
  FlagStore store;
  const std::string text = store.dialect().pin_text("a \"key\"", R"({"x": [1]})");
  ASSERT_TRUE(store.add_flag("a \"key\"", text)) << store.problem().message;
  EXPECT_EQ(store.answer("a \"key\"", "{}"),
            R"(STATIC pinned {"x":[1]} {"flagstone.pinned":true})");
  const Evaluation result = store.evaluate("a \"key\"", "{}");
  ASSERT_NE(detail_of(result), nullptr);
  EXPECT_EQ(detail_of(result)->reason, ReasonKind::kOff);
  EXPECT_EQ(detail_of(result)->variation_index, 0);
  EXPECT_EQ(detail_of(result)->flag->version, 1);
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly
