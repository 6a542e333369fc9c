// What LaunchDarkly's own parser refuses, what it lets pass, and what a text shows at a glance.
#include "evaluation/dialects/launchdarkly/parse.h"

#include <gtest/gtest.h>

#include "tests/evaluation/dialects/launchdarkly/flag_store.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

struct Case {
  std::string_view text;
  std::string_view problem;  // Empty: it compiles.
};

constexpr Case kFlags[] = {
    {"{}", ""},
    {R"({"unknown":{"any":[1]},"key":"f"})", ""},
    // Lists, rollouts, attributes and what is optional may be null.
    {R"({"prerequisites":null,"targets":null,"contextTargets":null,"rules":null,"variations":null,
         "offVariation":null,"debugEventsUntilDate":null,"migration":null,
         "clientSideAvailability":null})",
     ""},
    {R"({"rules":[{"clauses":null,"variation":null,"rollout":null}]})", ""},
    {R"({"rules":[{"clauses":[{"attribute":null,"values":null}]}]})", ""},
    {R"({"fallthrough":{"rollout":{"variations":[],"bucketBy":null,"seed":null}}})", ""},
    {R"({"rules":[{"clauses":[{"op":"no such operator","values":[{},[],null]}]}]})", ""},
    {R"({"offVariation":99,"fallthrough":{"variation":-1}})", ""},
    {R"({"version":1.5,"offVariation":1e300})", ""},
    // The rest may not.
    {R"({"key":null})", "key is not a string"},
    {R"({"on":"yes"})", "on is not a boolean"},
    {R"({"version":"1"})", "version is not a number"},
    {R"({"salt":null})", "salt is not a string"},
    {R"({"deleted":null})", "deleted is not a boolean"},
    {R"({"fallthrough":null})", "fallthrough is not an object"},
    {R"({"fallthrough":{"variation":"0"}})", "variation is not a number"},
    {R"({"fallthrough":{"rollout":{"variations":null}}})", "variations is not a list"},
    {R"({"fallthrough":{"rollout":{"variations":[1]}}})", "variations is not a list of objects"},
    {R"({"fallthrough":{"rollout":{"variations":[{"weight":"1"}]}}})", "weight is not a number"},
    {R"({"fallthrough":{"rollout":{"kind":null}}})", "kind is not a string"},
    {R"({"variations":{}})", "variations is not a list"},
    {R"({"targets":[{"values":[1]}]})", "values is not a list of strings"},
    {R"({"targets":[null]})", "targets is not a list of objects"},
    {R"({"rules":{}})", "rules is not a list"},
    {R"({"rules":[{"id":5}]})", "id is not a string"},
    {R"({"rules":[{"clauses":[{"op":null}]}]})", "op is not a string"},
    {R"({"rules":[{"clauses":[{"contextKind":null}]}]})", "contextKind is not a string"},
    {R"({"rules":[{"clauses":[{"negate":null}]}]})", "negate is not a boolean"},
    {R"({"prerequisites":[{"key":1}]})", "key is not a string"},
    {R"({"samplingRatio":null})", "samplingRatio is not a number"},
    {R"({"migration":{"checkRatio":null}})", "checkRatio is not a number"},
    {R"({"clientSideAvailability":{"usingMobileKey":1}})", "usingMobileKey is not a boolean"},
    {R"({"clientSide":null})", "clientSide is not a boolean"},
    {R"({"trackEvents":0})", "trackEvents is not a boolean"},
    {"[]", "the record is not an object"},
    {"null", "the record is not an object"},
};

constexpr Case kSegments[] = {
    {"{}", ""},
    {R"({"included":null,"excluded":null,"includedContexts":null,"rules":null,"generation":null})",
     ""},
    {R"({"rules":[{"weight":null,"bucketBy":null,"clauses":null}]})", ""},
    {R"({"included":[1]})", "included is not a list of strings"},
    {R"({"excluded":"x"})", "excluded is not a list"},
    {R"({"includedContexts":[{"values":{}}]})", "values is not a list"},
    {R"({"rules":[{"weight":"1"}]})", "weight is not a number"},
    {R"({"rules":[{"rolloutContextKind":null}]})", "rolloutContextKind is not a string"},
    {R"({"unbounded":null})", "unbounded is not a boolean"},
    {R"({"generation":"1"})", "generation is not a number"},
};

void expect_all(RecordKind kind, std::span<const Case> cases) {
  for (const Case& test : cases) {
    FlagStore store;
    const bool compiled = store.add(kind, "k", test.text);
    EXPECT_EQ(compiled, test.problem.empty()) << test.text << store.problem().message;
    if (compiled) continue;
    EXPECT_EQ(store.problem().message, test.problem) << test.text;
    EXPECT_EQ(store.problem().kind, RecordError::Kind::kRefused) << test.text;
  }
}

TEST(Parse, RefusesOfFlagsWhatTheVendorRefuses) { expect_all(kFlagKind, kFlags); }
TEST(Parse, RefusesOfSegmentsWhatTheVendorRefuses) { expect_all(kSegmentKind, kSegments); }

TEST(Parse, TellsWhatIsNoJsonFromWhatIsTooLarge) {
  FlagStore store;
  EXPECT_FALSE(store.add_flag("f", R"({"key":)"));
  EXPECT_EQ(store.problem().kind, RecordError::Kind::kMalformed);
  EXPECT_FALSE(store.add_flag(
      "f", R"({"variations":[)" + std::string(200, '[') + std::string(200, ']') + "]}"));
  EXPECT_EQ(store.problem().kind, RecordError::Kind::kTooLarge);
  const std::string filler(kRecordBytesMax - 8, 'x');
  EXPECT_TRUE(store.add_flag("f", R"({"x":")" + filler + "\"}"));
  EXPECT_FALSE(store.add_flag("f", R"({"x":"x)" + filler + "\"}"));
  EXPECT_EQ(store.problem().kind, RecordError::Kind::kTooLarge);
  EXPECT_EQ(store.dialect().record_bytes_max(), kRecordBytesMax);
}

TEST(Parse, KeepsTheSpellingOfVariations) {
  FlagStore store;
  // The last of two counts, and a name may be spelled with escapes.
  ASSERT_TRUE(store.add_flag("f", R"({"variations":["no"],"on":false,"offVariation":1,
               "\u0076ariations" : [ {} , {"a" : [1.0, 1e2, "\u00e9"]} ]})"));
  EXPECT_EQ(store.answer("f", R"({"key":"u"})"),
            R"(DISABLED 1 {"a":[1.0,1e2,"\u00e9"]} {"variationIndex":1})");
}

TEST(Parse, TakesInWhatEventsAndClientsNeed) {
  FlagStore store;
  ASSERT_TRUE(store.add_flag(
      "f", R"({"key":"f","version":7,"trackEvents":true,"trackEventsFallthrough":true,
               "excludeFromSummaries":true,"samplingRatio":10,"debugEventsUntilDate":1700000000000,
               "clientSideAvailability":{"usingEnvironmentId":true}})"));
  const FlagFacts& facts = *detail_of(store.evaluate("f", R"({"key":"u"})"))->flag;
  EXPECT_EQ(facts.key, "f");
  EXPECT_EQ(facts.version, 7);
  EXPECT_TRUE(facts.track_events && facts.track_events_fallthrough && facts.exclude_from_summaries);
  EXPECT_EQ(facts.sampling_ratio, 10);
  EXPECT_EQ(facts.debug_events_until_unix_ms, 1'700'000'000'000);
  EXPECT_TRUE(facts.for_environment_id);
  EXPECT_FALSE(facts.for_mobile_key);
  // What flags said before there was clientSideAvailability.
  ASSERT_TRUE(store.add_flag("old", R"({"key":"old","clientSide":true})"));
  const FlagFacts& old = *detail_of(store.evaluate("old", R"({"key":"u"})"))->flag;
  EXPECT_TRUE(old.for_environment_id && old.for_mobile_key);
  ASSERT_TRUE(store.add_flag("oldest", "{}"));
  const FlagFacts& oldest = *detail_of(store.evaluate("oldest", R"({"key":"u"})"))->flag;
  EXPECT_FALSE(oldest.for_environment_id);
  EXPECT_TRUE(oldest.for_mobile_key);
}

struct TraitsCase {
  std::string_view text;
  bool refers;
  std::string_view references;  // `kind:name` with spaces between.
};

TEST(References, AreWhatRulesAndPrerequisitesName) {
  constexpr TraitsCase kCases[] = {
      {R"({"prerequisites":[],"rules":[]})", false, ""},
      {R"({"prerequisites" : [ ] })", false, ""},
      {R"({"prerequisites":null,"variations":["prerequisites"]})", false, ""},
      {R"({"prerequisites":[{"key":"p","variation":0},{"key":"q"}]})", true, "0:p 0:q"},
      {R"({"rules":[{"clauses":[{"op":"segmentMatch","values":["s",5,"t"]},{"op":"in"}]}]})", true,
       "1:s 1:t"},
      {R"({"rules":[{"clauses":[{"op":"segmentM\u0061tch","values":["s"]}]}]})", true, "1:s"},
      // At a glance it may look as if.
      {R"({"variations":["segmentMatch"]})", true, ""},
  };
  const auto dialect = make_launchdarkly_dialect();
  for (const TraitsCase& test : kCases) {
    const RecordText text{kFlagKind, {}, "f", test.text};
    EXPECT_EQ(dialect->traits(text).refers_to_others, test.refers) << test.text;
    EXPECT_FALSE(dialect->traits(text).reads_clock);
    std::string named;
    for (const auto& [kind, name] : dialect->references(text)) {
      named.append(named.empty() ? "" : " ").append(std::to_string(static_cast<int>(kind)));
      named.append(":").append(name);
    }
    EXPECT_EQ(named, test.references) << test.text;
  }
  const RecordText segment{kSegmentKind, {}, "s", R"({"rules":[{"clauses":[
      {"op":"segmentMatch","values":["t"]}]}]})"};
  ASSERT_EQ(dialect->references(segment).size(), 1U);
  EXPECT_EQ(dialect->references(segment)[0].name, "t");
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly
