// Targets, rollouts, prerequisites and segments, and their limits.
#include "evaluation/dialects/launchdarkly/evaluator.h"

#include <gtest/gtest.h>

#include <cmath>

#include "evaluation/dialects/launchdarkly/bucket.h"
#include "tests/evaluation/dialects/launchdarkly/flag_store.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

constexpr std::string_view kUser = R"({"targetingKey":"u"})";

// A flag that is on, with these further members.
std::string flag_text(std::string_view key, std::string_view members) {
  std::string text = R"({"key":")" + std::string(key);
  text.append(R"(","version":1,"on":true,"salt":"saltyA","variations":["a","b","c"],)");
  text.append(R"("fallthrough":{"variation":0},"offVariation":2)");
  if (!members.empty()) text.append(",").append(members);
  return text + "}";
}

struct Buckets {
  std::string_view prefix;
  std::string_view value;
  float expected;
};

TEST(Bucket, IsLaunchDarklys) {
  constexpr Buckets kCases[] = {
      {"hashKey.saltyA.", "userKeyA", 0.42157587F},
      {"hashKey.saltyA.", "userKeyB", 0.67084850F},
      {"hashKey.saltyA.", "userKeyC", 0.10343106F},
      {"hashKey.saltyA.", "33333", 0.54771423F},
      {"61.", "userKeyA", 0.09801207F},
      {"61.", "userKeyB", 0.14483777F},
      {"61.", "userKeyC", 0.92426409F},
  };
  for (const Buckets& test : kCases) {
    Bucketing bucketing;
    bucketing.prefix = test.prefix;
    bucketing.context_kind = "user";
    bucketing.by.kind = Attribute::Kind::kKey;
    IndividualContext user;
    user.key = test.value;
    Context context;
    context.individuals = {&user, 1};
    const Bucket bucket = bucket_of(bucketing, context);
    EXPECT_EQ(bucket.kind, Bucket::Kind::kFound);
    EXPECT_NEAR(bucket.place, test.expected, 1e-7) << test.value;
  }
}

struct Case {
  std::string_view what;
  std::string_view flag;
  std::string_view context;
  std::string_view expected;
};

constexpr std::string_view kMulti = R"({"kind":"multi","user":{"key":"u"},"org":{"key":"o"}})";

constexpr Case kTargets[] = {
    {"of users", R"("targets":[{"variation":1,"values":["u"]}])", kUser,
     R"(TARGETING_MATCH 1 "b" {"variationIndex":1})"},
    {"of another kind", R"("targets":[{"contextKind":"org","variation":1,"values":["o"]}])", kMulti,
     R"(TARGETING_MATCH 1 "b" {"variationIndex":1})"},
    {"context targets win, users' keys are among the targets",
     R"("targets":[{"variation":1,"values":["u"]}],"contextTargets":[
        {"contextKind":"org","variation":2,"values":["x"]},{"variation":1,"values":[]}])",
     kMulti, R"(TARGETING_MATCH 1 "b" {"variationIndex":1})"},
    {"context targets win, and leave out what they do not name",
     R"("targets":[{"variation":1,"values":["u"]}],"contextTargets":[
        {"contextKind":"org","variation":2,"values":["x"]}])",
     kMulti, R"(FALLTHROUGH 0 "a" {"variationIndex":0})"},
    {"users with their own keys",
     R"("contextTargets":[{"contextKind":"user","variation":1,"values":["u"]}])", kUser,
     R"(TARGETING_MATCH 1 "b" {"variationIndex":1})"},
    {"a variation that does not exist", R"("targets":[{"variation":7,"values":["u"]}])", kUser,
     "ERROR PARSE_ERROR"},
};

constexpr Case kRollouts[] = {
    // userKeyA is at 0.42157587 with this flag's key and salt.
    {"first",
     R"("fallthrough":{"rollout":{"variations":[{"variation":1,"weight":42158},
        {"variation":2,"weight":57842}]}})",
     R"({"targetingKey":"userKeyA"})", R"(FALLTHROUGH 1 "b" {"variationIndex":1})"},
    {"second",
     R"("fallthrough":{"rollout":{"variations":[{"variation":1,"weight":42157},
        {"variation":2,"weight":57843}]}})",
     R"({"targetingKey":"userKeyA"})", R"(FALLTHROUGH 2 "c" {"variationIndex":2})"},
    {"beyond the end the last",
     R"("fallthrough":{"rollout":{"variations":[{"variation":1,"weight":1},
        {"variation":2,"weight":1}]}})",
     R"({"targetingKey":"userKeyA"})", R"(FALLTHROUGH 2 "c" {"variationIndex":2})"},
    {"by a whole number",
     R"("fallthrough":{"rollout":{"bucketBy":"n","variations":[{"variation":1,"weight":54771},
        {"variation":2,"weight":0},{"variation":0,"weight":1}]}})",
     R"({"targetingKey":"x","n":33333})", R"(FALLTHROUGH 0 "a" {"variationIndex":0})"},
    {"by a fraction: none",
     R"("fallthrough":{"rollout":{"bucketBy":"n","variations":[{"variation":1,"weight":1},
        {"variation":2,"weight":99999}]}})",
     R"({"targetingKey":"x","n":0.5})", R"(FALLTHROUGH 1 "b" {"variationIndex":1})"},
    {"an experiment goes by the key and its seed",
     R"("fallthrough":{"rollout":{"kind":"experiment","seed":61,"bucketBy":"n","variations":[
        {"variation":1,"weight":9801},{"variation":2,"weight":2}]}})",
     R"({"targetingKey":"userKeyA","n":"x"})",
     R"(FALLTHROUGH 2 "c" {"variationIndex":2,"inExperiment":true})"},
    {"untracked",
     R"("fallthrough":{"rollout":{"kind":"experiment","seed":61,"variations":[
        {"variation":1,"weight":100000,"untracked":true}]}})",
     kUser, R"(FALLTHROUGH 1 "b" {"variationIndex":1})"},
    {"no such kind: the first share, and no experiment",
     R"("fallthrough":{"rollout":{"kind":"experiment","contextKind":"org","variations":[
        {"variation":0,"weight":0},{"variation":1,"weight":100000}]}})",
     kUser, R"(FALLTHROUGH 1 "b" {"variationIndex":1})"},
    {"a variation wins over a rollout", R"("fallthrough":{"variation":1,"rollout":{
        "variations":[{"variation":2,"weight":100000}]}})",
     kUser, R"(FALLTHROUGH 1 "b" {"variationIndex":1})"},
    {"no variations", R"("fallthrough":{"rollout":{"variations":[]}})", kUser, "ERROR PARSE_ERROR"},
    {"no rollout", R"("fallthrough":{"rollout":null})", kUser, "ERROR PARSE_ERROR"},
    {"no attribute reference",
     R"("fallthrough":{"rollout":{"contextKind":"user","bucketBy":"//","variations":[
        {"variation":1,"weight":100000}]}})",
     kUser, "ERROR PARSE_ERROR"},
};

void expect_all(std::span<const Case> cases) {
  for (const Case& test : cases) {
    FlagStore store;
    // The rollouts' vectors are of this key.
    ASSERT_TRUE(store.add_flag("hashKey", flag_text("hashKey", test.flag)))
        << test.what << store.problem().message;
    EXPECT_EQ(store.answer("hashKey", test.context), test.expected) << test.what;
  }
}

TEST(Evaluator, LooksForTargets) { expect_all(kTargets); }
TEST(Evaluator, RollsOut) { expect_all(kRollouts); }

std::string needs(std::string_view key, int variation) {
  std::string text = R"({"key":")" + std::string(key);
  return text.append(R"(","variation":)").append(std::to_string(variation)).append("}");
}

TEST(Evaluator, AsksForPrerequisitesInOrder) {
  FlagStore store;
  ASSERT_TRUE(store.add_flag("f", flag_text("f", R"("prerequisites":[)" + needs("p1", 0) + "," +
                                                     needs("p2", 1) + "," + needs("p3", 0) + "]")));
  ASSERT_TRUE(store.add_flag("p1", flag_text("p1", R"("prerequisites":[)" + needs("p3", 0) + "]")));
  ASSERT_TRUE(store.add_flag("p2", flag_text("p2", "")));
  ASSERT_TRUE(store.add_flag("p3", flag_text("p3", "")));
  const Evaluation result = store.evaluate("f", kUser);
  EXPECT_EQ(result.reason, Reason::kPrerequisiteFailed);
  EXPECT_EQ(result.metadata_members, R"("variationIndex":2,"prerequisiteKey":"p2")");
  const Detail* const detail = detail_of(result);
  ASSERT_EQ(detail->prerequisites.size(), 3U);
  EXPECT_EQ(detail->prerequisites[0].prerequisite_of, "p1");
  EXPECT_EQ(detail->prerequisites[0].detail->flag->key, "p3");
  EXPECT_EQ(detail->prerequisites[1].detail->flag->key, "p1");
  EXPECT_EQ(detail->prerequisites[2].detail->flag->key, "p2");
  EXPECT_EQ(detail->prerequisites[2].prerequisite_of, "f");
}

struct PrerequisiteCase {
  std::string_view what;
  std::string_view prerequisite;  // The whole text; empty: there is none.
  std::string_view expected;
};

TEST(Evaluator, AcceptsAPrerequisiteOnlyWhenItIsOn) {
  constexpr PrerequisiteCase kCases[] = {
      {"fulfilled", R"({"key":"p","on":true,"variations":[1],"fallthrough":{"variation":0}})",
       R"(FALLTHROUGH 0 "a" {"variationIndex":0})"},
      {"missing", "", R"(PREREQUISITE_FAILED 2 "c" {"variationIndex":2,"prerequisiteKey":"p"})"},
      {"off with that variation",
       R"({"key":"p","on":false,"variations":[1],"offVariation":0,"fallthrough":{}})",
       R"(PREREQUISITE_FAILED 2 "c" {"variationIndex":2,"prerequisiteKey":"p"})"},
      {"a variation that does not exist",
       R"({"key":"p","on":true,"variations":[],"fallthrough":{"variation":0}})",
       R"(PREREQUISITE_FAILED 2 "c" {"variationIndex":2,"prerequisiteKey":"p"})"},
      {"a malformed rule",
       R"({"key":"p","on":true,"variations":[1],"rules":[{"variation":0,"clauses":[{"op":"in"}]}]})",
       "ERROR PARSE_ERROR"},
      {"a circle", R"({"key":"p","on":true,"variations":[1],"fallthrough":{"variation":0},
          "prerequisites":[{"key":"f","variation":0}]})",
       "ERROR PARSE_ERROR"},
      {"itself", R"({"key":"p","on":true,"variations":[1],"fallthrough":{"variation":0},
          "prerequisites":[{"key":"p","variation":0}]})",
       "ERROR PARSE_ERROR"},
  };
  for (const PrerequisiteCase& test : kCases) {
    FlagStore store;
    ASSERT_TRUE(store.add_flag("f", flag_text("f", R"("prerequisites":[)" + needs("p", 0) + "]")));
    if (!test.prerequisite.empty()) {
      ASSERT_TRUE(store.add_flag("p", test.prerequisite)) << store.problem().message;
    }
    EXPECT_EQ(store.answer("f", kUser), test.expected) << test.what;
  }
}

// Rules that match who is in the segment.
constexpr std::string_view kInSegment =
    R"("rules":[{"variation":1,"clauses":[{"op":"segmentMatch","values":["gone",7,"s"]}]}])";

struct SegmentCase {
  std::string_view what;
  std::string_view segment;  // Without its key and salt.
  std::string_view context;
  std::string_view expected;  // The reason, or the error.
};

TEST(Evaluator, LooksIntoSegments) {
  constexpr std::string_view kOrg = R"({"kind":"org","key":"o"})";
  constexpr SegmentCase kCases[] = {
      {"included", R"("included":["x","u"])", kUser, "RULE_MATCH"},
      {"not included", R"("included":["x"])", kUser, "FALLTHROUGH"},
      {"included before excluded", R"("included":["u"],"excluded":["u"])", kUser, "RULE_MATCH"},
      {"excluded before rules", R"("excluded":["u"],"rules":[{"clauses":[]}])", kUser,
       "FALLTHROUGH"},
      {"a rule without clauses", R"("rules":[{}])", kUser, "RULE_MATCH"},
      {"of another kind", R"("includedContexts":[{"contextKind":"org","values":["o"]}])", kOrg,
       "RULE_MATCH"},
      {"lists of kinds are not for a plain user",
       R"("includedContexts":[{"contextKind":"user","values":["u"]}])", kUser, "FALLTHROUGH"},
      {"but for one among others", R"("includedContexts":[{"contextKind":"user","values":["u"]}])",
       kMulti, "RULE_MATCH"},
      {"excluded of another kind",
       R"("excludedContexts":[{"contextKind":"org","values":["o"]}],"rules":[{}])", kOrg,
       "FALLTHROUGH"},
      {"a share of nothing", R"("rules":[{"weight":0}])", kUser, "FALLTHROUGH"},
      {"a share of all", R"("rules":[{"weight":100000}])", kUser, "RULE_MATCH"},
      {"a share of a kind that is missing",
       R"("rules":[{"weight":100000,"rolloutContextKind":"org"}])", kUser, "FALLTHROUGH"},
      {"a share by what is missing", R"("rules":[{"weight":1,"bucketBy":"gone"}])", kUser,
       "RULE_MATCH"},
      {"a share by no attribute reference",
       R"("rules":[{"weight":1,"bucketBy":"/","rolloutContextKind":"user"}])", kUser,
       "PARSE_ERROR"},
      {"itself", R"("rules":[{"clauses":[{"op":"segmentMatch","values":["s"]}]}])", kUser,
       "PARSE_ERROR"},
      {"a clause without an attribute", R"("rules":[{"clauses":[{"op":"in"}]}])", kUser,
       "PARSE_ERROR"},
  };
  for (const SegmentCase& test : kCases) {
    FlagStore store;
    ASSERT_TRUE(store.add_flag("f", flag_text("f", kInSegment)));
    ASSERT_TRUE(
        store.add_segment("s", R"({"key":"s","salt":"t",)" + std::string(test.segment) + "}"))
        << test.what << store.problem().message;
    const Evaluation result = store.evaluate("f", test.context);
    const std::string_view got = result.reason == Reason::kError ? error_code_name(result.error)
                                                                 : reason_name(result.reason);
    EXPECT_EQ(got, test.expected) << test.what << ": " << result.error_details;
  }
}

TEST(Evaluator, SaysThatBigSegmentsAreNotConfigured) {
  struct Big {
    std::string_view segment;
    std::string_view expected;
  };
  constexpr Big kCases[] = {
      // Without a generation its rules do not count, with one they do; its own list never does.
      {R"({"key":"s","unbounded":true,"included":["u"],"rules":[{}]})",
       R"(FALLTHROUGH 0 "a" {"variationIndex":0,"bigSegmentsStatus":"NOT_CONFIGURED"})"},
      {R"({"key":"s","unbounded":true,"generation":1,"included":["u"]})",
       R"(FALLTHROUGH 0 "a" {"variationIndex":0,"bigSegmentsStatus":"NOT_CONFIGURED"})"},
      {R"({"key":"s","unbounded":true,"generation":1,"rules":[{}]})",
       R"(RULE_MATCH 1 "b" {"variationIndex":1,"ruleIndex":0,"bigSegmentsStatus":"NOT_CONFIGURED"})"},
      {R"({"key":"s","unbounded":true,"generation":1,"unboundedContextKind":"org","rules":[{}]})",
       R"(FALLTHROUGH 0 "a" {"variationIndex":0})"},
  };
  for (const Big& test : kCases) {
    FlagStore store;
    ASSERT_TRUE(store.add_flag("f", flag_text("f", kInSegment)));
    ASSERT_TRUE(store.add_segment("s", test.segment));
    EXPECT_EQ(store.answer("f", kUser), test.expected) << test.segment;
  }
}

// f0 needs f1 needs f2 and so on.
void add_chain_of_flags(FlagStore& store, int length) {
  for (int i = 0; i < length; ++i) {
    const std::string key = "f" + std::to_string(i);
    const std::string next = needs("f" + std::to_string(i + 1), 0);
    ASSERT_TRUE(store.add_flag(
        key, flag_text(key, i + 1 == length ? "" : R"("prerequisites":[)" + next + "]")));
  }
}

TEST(Evaluator, FollowsPrerequisitesToItsDepthAndNotBeyond) {
  FlagStore store;
  // The last has none itself, so it adds no depth.
  add_chain_of_flags(store, Evaluator::kDepthMax + 1);
  EXPECT_EQ(store.answer("f0", kUser), R"(FALLTHROUGH 0 "a" {"variationIndex":0})");
  EXPECT_EQ(detail_of(store.evaluate("f0", kUser))->prerequisites.size(), Evaluator::kDepthMax);
  add_chain_of_flags(store, 1000);
  const Evaluation result = store.evaluate("f0", kUser);
  EXPECT_EQ(result.error, ErrorCode::kParseError);
  EXPECT_EQ(result.error_details, "prerequisites or segments are nested deeper than 256");
}

TEST(Evaluator, FollowsSegmentsToItsDepthAndNotBeyond) {
  for (const std::size_t length : {Evaluator::kDepthMax, Evaluator::kDepthMax + 1, 1000UL}) {
    FlagStore store;
    ASSERT_TRUE(store.add_flag("f", flag_text("f", kInSegment)));
    for (std::size_t i = 0; i < length; ++i) {
      const std::string key = i == 0 ? "s" : "s" + std::to_string(i);
      const std::string next = "s" + std::to_string(i + 1);
      ASSERT_TRUE(store.add_segment(
          key, R"({"key":")" + key + R"(","rules":[{"clauses":[{"op":"segmentMatch","values":[")" +
                   next + R"("]}]}]})"));
    }
    EXPECT_EQ(store.evaluate("f", kUser).error,
              length > Evaluator::kDepthMax ? ErrorCode::kParseError : ErrorCode::kNone)
        << length;
  }
}

TEST(Evaluator, EndsWhereMoreAndMoreSegmentsAreInEachOther) {
  // Each refers to the next ten times: 10^20 ways through.
  FlagStore store;
  ASSERT_TRUE(store.add_flag("f", flag_text("f", kInSegment)));
  for (int i = 0; i < 20; ++i) {
    const std::string key = i == 0 ? "s" : "s" + std::to_string(i);
    std::string next = "\"s" + std::to_string(i + 1) + "\"";
    std::string values = next;
    for (int j = 1; j < 10; ++j) values.append(",").append(next);
    ASSERT_TRUE(store.add_segment(
        key, R"({"key":")" + key + R"(","rules":[{"clauses":[{"op":"segmentMatch","values":[)" +
                 values + R"(]}]}]})"));
  }
  const Evaluation result = store.evaluate("f", kUser);
  EXPECT_EQ(result.error, ErrorCode::kParseError);
  EXPECT_EQ(result.error_details, "more than 10000 prerequisites and segments to look at");
}

TEST(Evaluator, EndsWhereSegmentsHaveTooMuchToLookAt) {
  // Five thousand visits of one segment with a thousand clauses.
  FlagStore store;
  ASSERT_TRUE(store.add_flag("f", flag_text("f", kInSegment)));
  std::string many = R"("large")";
  for (int i = 1; i < 5000; ++i) many += R"(,"large")";
  std::string clauses = R"({"attribute":"key","op":"in","values":["u"]})";
  for (int i = 1; i < 1000; ++i) clauses += R"(,{"attribute":"key","op":"in","values":["u"]})";
  clauses += R"(,{"attribute":"key","op":"in","values":["nobody"]})";
  ASSERT_TRUE(store.add_segment(
      "s", R"({"rules":[{"clauses":[{"op":"segmentMatch","values":[)" + many + "]}]}]}"));
  ASSERT_TRUE(store.add_segment("large", R"({"rules":[{"clauses":[)" + clauses + "]}]}"));
  const Evaluation result = store.evaluate("f", kUser);
  EXPECT_EQ(result.error, ErrorCode::kParseError);
  EXPECT_EQ(result.error_details, "more than 1000000 clauses to look at");
}

TEST(Evaluator, AHugeSegmentIsSmallAndAnswersRight) {
  constexpr int kKeys = 50'000;
  FlagStore store;
  ASSERT_TRUE(store.add_flag("f", flag_text("f", kInSegment)));
  std::string text = R"({"key":"s","included":[)";
  for (int i = 0; i < kKeys; ++i) {
    text.append(i == 0 ? "" : ",").append("\"user-").append(std::to_string(i)).append("\"");
  }
  ASSERT_TRUE(store.add_segment("s", text + "]}")) << store.problem().message;
  const std::size_t bytes = store.find(kSegmentKind, {}, "s")->bytes();
  EXPECT_LT(bytes, text.size() + kKeys * 10);
  for (const int i : {0, 1, 49, 25'000, kKeys - 1}) {
    const std::string user = R"({"targetingKey":"user-)" + std::to_string(i) + "\"}";
    EXPECT_EQ(store.evaluate("f", user).reason, Reason::kRuleMatch) << i;
  }
  for (const std::string_view user : {"user-50000", "user--1", "user-", "USER-1", "u"}) {
    const std::string context = R"({"targetingKey":")" + std::string(user) + "\"}";
    EXPECT_EQ(store.evaluate("f", context).reason, Reason::kFallthrough) << user;
  }
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly
