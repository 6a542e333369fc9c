// What a flag answers, and which records are refused.
#include "evaluation/dialects/flagd/flagd_dialect.h"

#include <gtest/gtest.h>

#include "tests/evaluation/dialects/flagd/flag_store.h"

namespace flagstone::evaluation::flagd {
namespace {

// A document with one flag `f`, of that targeting, and evaluators.
std::string targeted(std::string_view targeting, std::string_view evaluators = "{}") {
  std::string text = R"({"flags":{"f":{"state":"ENABLED","defaultVariant":"off","variants":{
      "on":true,"off":false,"true":1,"false":0,"1":"one","null":"n","a&b":"amp","q\"\\":"quote"},
      "targeting":)";
  text.append(targeting).append(R"(}},"$evaluators":)").append(evaluators).append("}");
  return text;
}

TEST(FlagdDialect, ResolvesWithoutTargeting) {
  FlagStore store(R"({"flags":{
    "plain":{"state":"ENABLED","variants":{"a":1.0,"b":[1, 2],"c":null},"defaultVariant":"a"},
    "array":{"state":"ENABLED","variants":{"b":[1, { "x" : 1e5 }]},"defaultVariant":"b"},
    "nothing":{"state":"ENABLED","variants":{"c":null},"defaultVariant":"c"},
    "big":{"state":"ENABLED","variants":{"a":18446744073709551615},"defaultVariant":"a"},
    "huge":{"state":"ENABLED","variants":{"a":123456789012345678901234567890},"defaultVariant":"a"},
    "off":{"state":"DISABLED","variants":{"a":1},"defaultVariant":"a","targeting":{"bad":1}},
    "no default":{"state":"ENABLED","variants":{"a":1}},
    "null default":{"state":"ENABLED","variants":{"a":1},"defaultVariant":null},
    "empty default":{"state":"ENABLED","variants":{"a":1},"defaultVariant":""},
    "empty targeting":{"state":"ENABLED","variants":{"a":1},"defaultVariant":"a","targeting":{ }},
    "null targeting":{"state":"ENABLED","variants":{"a":1},"defaultVariant":"a","targeting":null},
    "twice":{"state":"ENABLED","variants":{"a":1,"a":2},"defaultVariant":"b","defaultVariant":"a"},
    "escaped":{"state":"\n","v\u0061riants":{"a":1.0},"metadata":{"m":2.0},"defaultVariant":"a"},
    "spaced":{"variants" : { "a" : 1.0 } , "metadata" :{} , "defaultVariant" : "a" },
    "nameless state":{"variants":{"a":1},"defaultVariant":"a"},
    "null":null}})");
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"plain", "STATIC a 1.0"},
      {"array", "STATIC b [1,{\"x\":1e5}]"},
      {"nothing", "STATIC c null"},
      {"big", "STATIC a 18446744073709551615"},
      {"huge", "STATIC a 123456789012345678901234567890"},
      {"off", "DISABLED"},
      {"no default", "DEFAULT"},
      {"null default", "DEFAULT"},
      {"empty default", "DEFAULT"},
      {"empty targeting", "STATIC a 1"},
      {"null targeting", "STATIC a 1"},
      {"twice", "STATIC a 2"},
      {"escaped", "STATIC a 1.0"},
      {"spaced", "STATIC a 1.0"},
      {"nameless state", "STATIC a 1"},
      {"null", "DEFAULT"},
      {"absent", "ERROR FLAG_NOT_FOUND"},
  };
  for (const auto& [key, answer] : cases) EXPECT_EQ(store.answer(key, "{}"), answer) << key;
  EXPECT_TRUE(store.refused().empty());
  EXPECT_EQ(store.evaluate("escaped", "{}").metadata_members, R"("m":2.0)");
}

struct Targeted {
  std::string_view targeting;
  std::string_view answer;
};

TEST(FlagdDialect, TargetingNamesAVariant) {
  constexpr Targeted kCases[] = {
      {R"({"if":[true,"on"]})", "TARGETING_MATCH on true"},
      {R"({"if":[false,"on"]})", "DEFAULT off false"},
      {R"({"==":[1,1]})", "TARGETING_MATCH true 1"},
      {R"({"!":[1]})", "TARGETING_MATCH false 0"},
      {R"({"+":[0.5,0.5]})", "TARGETING_MATCH 1 \"one\""},
      {R"({"if":[true,"null"]})", "TARGETING_MATCH null \"n\""},
      {R"({"if":[true,"a&b"]})", "TARGETING_MATCH a&b \"amp\""},
      {R"({"if":[true,"q\"\\"]})", "TARGETING_MATCH q\"\\ \"quote\""},
      {R"("on")", "TARGETING_MATCH on true"},
      {R"({"if":[true,"nope"]})", "ERROR GENERAL"},
      {R"({"if":[true,""]})", "ERROR GENERAL"},
      {R"({"if":[true,{"a":1,"b":2}]})", "ERROR GENERAL"},
      {R"(["on"])", "ERROR GENERAL"},
      {R"({"nope":[1]})", "ERROR PARSE_ERROR"},
      {R"({"if":[true,"on",{"nope":[1]}]})", "TARGETING_MATCH on true"},
      {R"({"+":[true]})", "ERROR PARSE_ERROR"},
      {R"({"/":[1,0]})", "ERROR PARSE_ERROR"},
      {R"({"$ref":"nope"})", "ERROR PARSE_ERROR"},
      {R"({"if":[true,"on",{"$ref":"nope"}]})", "TARGETING_MATCH on true"},
      {R"({"if":[{"==":[{"var":"$flagd.flagKey"},"f"]},"on"]})", "TARGETING_MATCH on true"},
      {R"({"if":[{"==":[{"var":"$flagd.timestamp"},1700000000]},"on"]})",
       "TARGETING_MATCH on true"},
      {R"({"if":[{"var":"$flagd.own"},"on"]})", "DEFAULT off false"},
      {R"({"if":[{"var":["missing","x"]},"on"]})", "TARGETING_MATCH on true"},
      // An object out of the data is taken as a rule.
      {R"({"if":[true,{"var":"rule"}]})", "TARGETING_MATCH true 1"},
      {R"({"sem_ver":["1.0",">","0.9"]})", "TARGETING_MATCH true 1"},
      {R"({"starts_with":[1,"a"]})", "DEFAULT off false"},
      {R"({"fractional":[["on",1]]})", "TARGETING_MATCH on true"},
      {R"({"fractional":[{"var":"none"},["on",1]]})", "TARGETING_MATCH on true"},
      {R"({"fractional":[5,["on",1]]})", "DEFAULT off false"},
      {R"({"fractional":["x",["on",1.5]]})", "DEFAULT off false"},
      {R"({"fractional":["x",["on",2147483647],["off",1]]})", "DEFAULT off false"},
      {R"({"fractional":["x",["on",null]]})", "TARGETING_MATCH on true"},
      {R"({"fractional":["x",["on",0]]})", "DEFAULT off false"},
      {R"({"fractional":["x",[["on"],1]]})", "DEFAULT off false"},
      {R"({"fractional":["x",["on",-1],["off",1]]})", "TARGETING_MATCH off false"},
      {R"({"fractional":["x",[true]]})", "TARGETING_MATCH true 1"},
      {R"({"fractional":"x"})", "DEFAULT off false"},
  };
  for (const Targeted& one : kCases) {
    FlagStore store(targeted(one.targeting));
    EXPECT_EQ(store.answer("f", R"({"targetingKey":"u","rule":{"==":[1,1]},"$flagd":{"own":1}})",
                           {1'700'000'000'999, 0}),
              one.answer)
        << one.targeting;
  }
}

TEST(FlagdDialect, OfEqualVariantsTheLastIsChosen) {
  const std::string nine = R"("1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0,"8":0,"9":0,)";
  for (const std::string& more : {std::string(), nine}) {
    FlagStore store(R"({"flags":{"f":{"variants":{"a":1,"b":0,)" + more +
                    R"("a":2},"defaultVariant":"a",
        "targeting":{"if":[{"var":"chosen"},{"var":"chosen"},{"var":"rule"},"a",null]}}}})");
    EXPECT_EQ(store.answer("f", R"({"rule":true})"), "TARGETING_MATCH a 2");
    EXPECT_EQ(store.answer("f", R"({"chosen":"a"})"), "TARGETING_MATCH a 2");
    EXPECT_EQ(store.answer("f", R"({"chosen":"b"})"), "TARGETING_MATCH b 0");
    EXPECT_EQ(store.answer("f", "{}"), "DEFAULT a 2");
  }
}

TEST(FlagdDialect, PreparesPiecesOfAnswers) {
  FlagStore store(R"({"flags":{"k\"1":{"variants":{"a":[1, 2.0],"q\u0022":"x"},"defaultVariant":"a",
      "targeting":{"if":[{"var":"other"},"q\""]}},"off":{"state":"DISABLED"}}})");
  const Evaluation plain = store.evaluate("k\"1", "{}");
  EXPECT_EQ(plain.key_json, R"("k\"1")");
  EXPECT_EQ(plain.value_and_variant, R"("value":[1,2.0],"variant":"a")");
  const Evaluation escaped = store.evaluate("k\"1", R"({"other":1})");
  EXPECT_EQ(escaped.variant, "q\"");
  EXPECT_EQ(escaped.variant_json, R"("q\"")");
  EXPECT_EQ(escaped.value_json, R"("x")");
  EXPECT_EQ(escaped.value_and_variant, R"("value":"x","variant":"q\"")");
  EXPECT_EQ(store.evaluate("off", "{}").key_json, R"("off")");
  EXPECT_EQ(store.evaluate("off", "{}").value_and_variant, "");
}

TEST(FlagdDialect, ErrorsSayWhatIsWrong) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"({"if":[true,"nope"]})", "targeting gave \"nope\", which names no variant"},
      {R"(["on"])", "targeting gave an array, which names no variant"},
      {R"({"nope":[1]})", "targeting failed: unknown operator \"nope\""},
      {R"({"$ref":"gone"})", "targeting failed: $ref names no evaluator: gone"},
      {R"({"/":[1,0]})", "targeting gave a number that JSON cannot hold"},
  };
  for (const auto& [targeting, details] : cases) {
    FlagStore store(targeted(targeting));
    EXPECT_EQ(store.evaluate("f", "{}").error_details, details);
  }
}

TEST(FlagdDialect, MetadataIsMerged) {
  FlagStore store(R"({"metadata":{"flagSetId":"s","version":"1.0","gone":null,"x\"":1},"flags":{
      "none":{"variants":{"a":1},"defaultVariant":"a"},
      "own":{"variants":{"a":1},"defaultVariant":"a",
             "metadata":{"version":2.0,"n":null,"ok":true,"flagSetId":null}},
      "off":{"state":"DISABLED","variants":{},"metadata":{"d":1}}}})");
  EXPECT_EQ(store.evaluate("none", "{}").metadata_members,
            R"("flagSetId":"s","version":"1.0","x\"":1)");
  EXPECT_EQ(store.evaluate("own", "{}").metadata_members,
            R"("flagSetId":"s","x\"":1,"version":2.0,"ok":true)");
  EXPECT_EQ(store.evaluate("off", "{}").metadata_members,
            R"("flagSetId":"s","version":"1.0","x\"":1,"d":1)");
}

TEST(FlagdDialect, ReferencesAreResolvedLate) {
  FlagStore store(targeted(R"({"if":[{"$ref":"outer"},"on","off"]})",
                           R"({"outer":{"and":[{"$ref":"inner"},true]},
                               "inner":{"==":[{"var":"tier"},"gold"]},
                               "loop":{"or":[false,{"$ref":"loop"}]}})"));
  EXPECT_EQ(store.answer("f", R"({"tier":"gold"})"), "TARGETING_MATCH on true");
  EXPECT_EQ(store.answer("f", "{}"), "TARGETING_MATCH off false");
}

TEST(FlagdDialect, TheFlagsOwnSetComesFirst) {
  FlagStore one(R"({"metadata":{"flagSetId":"a"},"$evaluators":{"e":{"!!":[1]}},"flags":{
      "mine":{"variants":{"true":1},"targeting":{"$ref":"e"}},
      "other":{"variants":{"true":1},"targeting":{"$ref":"e"},"metadata":{"flagSetId":"b"}}}})");
  EXPECT_EQ(one.answer("mine", "{}"), "TARGETING_MATCH true 1");
  EXPECT_EQ(one.answer("other", "{}"), "TARGETING_MATCH true 1");
}

std::string chain(std::size_t length, bool circle) {
  std::string evaluators = "{";
  for (std::size_t i = 0; i < length; ++i) {
    const bool last = i + 1 == length;
    const std::string name = std::string("e").append(std::to_string(i));
    const std::string next = std::string("e").append(std::to_string(last && circle ? 0 : i + 1));
    if (i > 0) evaluators += ',';
    evaluators.append("\"").append(name).append("\":");
    evaluators += last && !circle ? R"({"!!":[1]})" : R"({"or":[{"$ref":")" + next + R"("}]})";
  }
  return evaluators + "}";
}

TEST(FlagdDialect, CirclesOfAnyLengthFailTheFlagOnly) {
  for (const std::size_t length : {1U, 2U, 3U, 10U, 100U, 500U, 1000U}) {
    FlagStore store(targeted(R"({"if":[{"$ref":"e0"},"on","off"]})", chain(length, true)));
    const Evaluation result = store.evaluate("f", "{}");
    EXPECT_EQ(result.error, ErrorCode::kParseError) << length;
    EXPECT_NE(result.error_details.find("in a circle?"), std::string_view::npos);
    EXPECT_FALSE(store.dialect().varies_by_itself(store.flag("f"), store));
  }
  for (const std::size_t length : {1U, 2U, 100U, 500U}) {
    FlagStore store(targeted(R"({"if":[{"$ref":"e0"},"on","off"]})", chain(length, false)));
    EXPECT_EQ(store.answer("f", "{}"), "TARGETING_MATCH on true") << length;
  }
}

TEST(FlagdDialect, RunawayRulesEnd) {
  // Each evaluator asks the next twice: 2^40 steps, were there no limit.
  std::string evaluators = "{";
  for (int i = 0; i < 40; ++i) {
    const std::string next = std::to_string(i + 1);
    evaluators.append("\"e").append(std::to_string(i)).append(R"(":{"and":[{"$ref":"e)");
    evaluators.append(next).append(R"("},{"$ref":"e)").append(next).append("\"}]},");
  }
  evaluators += R"("e40":{"!!":[1]}})";
  FlagStore steps(targeted(R"({"$ref":"e0"})", evaluators));
  EXPECT_EQ(steps.answer("f", "{}"), "ERROR PARSE_ERROR");

  std::string items = "[0";
  for (int i = 0; i < 30'000; ++i) items += ",1";
  items += "]";
  FlagStore loops(
      targeted(R"({"map":[{"var":"a"},{"map":[{"var":"a"},{"map":[{"var":"a"},1]}]}]})"));
  EXPECT_EQ(loops.answer("f", R"({"a":)" + items + "}"), "ERROR GENERAL");
  FlagStore cubes(targeted(
      R"({"reduce":[{"var":"a"},{"cat":[{"var":"accumulator"},{"var":"accumulator"},"xxxxxxxx"]},"x"]})"));
  EXPECT_EQ(cubes.answer("f", R"({"a":)" + items + "}"), "ERROR PARSE_ERROR");
}

struct Refused {
  std::string_view raw;
  RecordError::Kind kind;
  std::string_view message;
};

TEST(FlagdDialect, RefusesWhatFlagdsParserRefuses) {
  using Kind = RecordError::Kind;
  constexpr Refused kCases[] = {
      {"5", Kind::kRefused, "the flag is not an object"},
      {R"({"state":true})", Kind::kRefused, "state is not a string"},
      {R"({"variants":[]})", Kind::kRefused, "variants is not an object"},
      {R"({"defaultVariant":1})", Kind::kRefused, "defaultVariant is not a string"},
      {R"({"metadata":[]})", Kind::kRefused, "metadata is not an object"},
      {R"({"key":1})", Kind::kRefused, "key is not a string"},
      {R"({"variants":{"a":1},"defaultVariant":"b"})", Kind::kRefused,
       "defaultVariant \"b\" names no variant"},
      {R"({"defaultVariant":"b"})", Kind::kRefused, "defaultVariant \"b\" names no variant"},
      {R"({"variants":{"a":1e999}})", Kind::kRefused,
       "a number is out of range or a surrogate stands alone"},
      {R"({"variants":{"a":1})", Kind::kMalformed, "the text ends too early at byte 19"},
      {"", Kind::kMalformed, "empty text"},
  };
  const auto dialect = make_flagd_dialect();
  for (const Refused& one : kCases) {
    const auto compiled = dialect->compile({kFlagKind, "", "f", one.raw});
    ASSERT_FALSE(compiled) << one.raw;
    EXPECT_EQ(compiled.error().kind, one.kind) << one.raw;
    EXPECT_EQ(compiled.error().message, one.message) << one.raw;
  }
  EXPECT_FALSE(dialect->compile({kEvaluatorKind, "", "e", "[]"}));
  EXPECT_FALSE(dialect->compile({kEvaluatorKind, "", "e", "{}"}));
  EXPECT_FALSE(dialect->compile({RecordKind{2}, "", "e", "{}"}));
  EXPECT_FALSE(dialect->compile_metadata("[]"));
  EXPECT_TRUE(dialect->compile_metadata("null"));
}

std::string nested_targeting(std::size_t levels) {
  std::string text = R"({"variants":{},"targeting":)";
  for (std::size_t i = 0; i < levels; ++i) text += R"({"!":)";
  return text.append("1").append(levels, '}').append("}");
}

TEST(FlagdDialect, DepthIsBoundedAndCheap) {
  const auto dialect = make_flagd_dialect();
  EXPECT_TRUE(dialect->compile({kFlagKind, "", "f", nested_targeting(kJsonDepthMax - 1)}));
  for (const std::size_t levels : {kJsonDepthMax, std::size_t{3'000}, std::size_t{100'000}}) {
    const auto compiled = dialect->compile({kFlagKind, "", "f", nested_targeting(levels)});
    ASSERT_FALSE(compiled) << levels;
    EXPECT_EQ(compiled.error().kind, RecordError::Kind::kTooLarge);
    EXPECT_EQ(compiled.error().message.substr(0, 33), "nested deeper than 128 levels at ");
  }
  const std::string large = R"({"x":")" + std::string(kRecordBytesMaxDefault, 'x') + "\"}";
  const auto compiled = dialect->compile({kFlagKind, "", "f", large});
  ASSERT_FALSE(compiled);
  EXPECT_EQ(compiled.error().kind, RecordError::Kind::kTooLarge);
}

TEST(FlagdDialect, KnowsWhatVariesByItself) {
  const std::pair<std::string_view, bool> cases[] = {
      {R"({"var":"$flagd.timestamp"})", true},
      {R"({">":[{"var":[".$flagd..timestamp",0]},5]})", true},
      {R"({"var":"$flagd"})", true},
      {R"({"var":""})", true},
      {R"({"var":{"cat":["a","b"]}})", true},
      {R"({"if":[{"$ref":"clock"},"on"]})", true},
      {R"({"if":[{"$ref":"through"},"on"]})", true},
      {R"({"filter":[{"var":"a"},{"var":"$flagd.timestamp"}]})", true},
      {R"({"var":"$flagd.flagKey"})", false},
      {R"({"some":[{"var":"a"},{"==":[{"var":""},1]}]})", false},
      {R"({"fractional":[["on",1],["off",1]]})", false},
      {R"({"var":0})", false},
      {R"({"$ref":"nope"})", false},
      {R"({"$ref":"circle"})", false},
      {R"({"a":{"var":"$flagd.timestamp"},"b":1})", false},
  };
  for (const auto& [targeting, varies] : cases) {
    FlagStore store(targeted(targeting, R"({"clock":{">":[{"var":"$flagd.timestamp"},1]},
        "through":{"and":[{"$ref":"clock"}]},"circle":{"or":[{"$ref":"circle"}]}})"));
    EXPECT_EQ(store.dialect().varies_by_itself(store.flag("f"), store), varies) << targeting;
  }
}

TEST(FlagdDialect, FractionalVersionsDiffer) {
  const std::string text = targeted(R"({"fractional":[{"var":"id"},["on",1],["off",1]]})");
  FlagStore v1(text, {FractionalVersion::kV1});
  FlagStore v2(text, {FractionalVersion::kV2});
  FlagStore v3(text, {FractionalVersion::kV3});
  EXPECT_EQ(v1.dialect().options_fingerprint(), "fractional=v1");
  EXPECT_EQ(v2.dialect().options_fingerprint(), "fractional=v2");
  EXPECT_EQ(v3.dialect().options_fingerprint(), "fractional=v3");
  // Hash 2147483648, whose size as a signed number is past v1's 100 %.
  EXPECT_EQ(v2.answer("f", R"({"id":"6LvT0"})"), "TARGETING_MATCH off false");
  EXPECT_EQ(v1.answer("f", R"({"id":"6LvT0"})"), "ERROR GENERAL");
  // Only v3 buckets by numbers.
  EXPECT_EQ(v2.answer("f", R"({"id":5,"targetingKey":"u"})"), "DEFAULT off false");
  EXPECT_EQ(v3.answer("f", R"({"id":5,"targetingKey":"u"})").substr(0, 15), "TARGETING_MATCH");
  EXPECT_EQ(v3.answer("f", R"({"id":5.0})"), v3.answer("f", R"({"id":5})"));
  EXPECT_EQ(parse_fractional_version("v3"), FractionalVersion::kV3);
  EXPECT_EQ(parse_fractional_version("v4"), std::nullopt);
}

// Rollouts whose entries are constants are prepared when they are compiled.
TEST(FlagdDialect, PreparedRolloutsAnswerAsOthers) {
  constexpr std::string_view kBucketBy[] = {
      "",
      "null,",
      R"("a text",)",
      "5,",
      R"({"var":"id"},)",
      R"({"var":"number"},)",
      R"({"var":"none"},)",
      R"({"var":"entry"},)",
      R"({"var":"object"},)",
      R"({"cat":[{"var":"$flagd.flagKey"},{"var":"id"}]},)",
      R"({"+":[true]},)",
  };
  constexpr std::string_view kContext[] = {
      R"({"targetingKey":"u","id":"x1","number":7,"entry":["on",9],"object":{},"w":50})",
      R"({"targetingKey":"another user","id":"y","number":1.5,"entry":[],"w":50})",
      R"({"id":"ü","w":50})",
  };
  for (const std::string_view bucket_by : kBucketBy) {
    const std::string before = R"({"fractional":[)" + std::string(bucket_by);
    const std::string prepared = targeted(before + R"(["on",50],["off"],["true",-2],["1",50]]})");
    const std::string other =
        targeted(before + R"(["on",{"var":"w"}],["off"],["true",-2],["1",{"var":"w"}]]})");
    for (const auto version :
         {FractionalVersion::kV1, FractionalVersion::kV2, FractionalVersion::kV3}) {
      FlagStore one(prepared, {version});
      FlagStore two(other, {version});
      for (const std::string_view context : kContext) {
        EXPECT_EQ(one.answer("f", context), two.answer("f", context)) << bucket_by << context;
      }
    }
  }
}

TEST(FlagdDialect, PinsAnswerStatic) {
  const auto dialect = make_flagd_dialect();
  std::string document = R"({"flags":{"f":)" + dialect->pin_text("f", R"({"a": [1.0]})") + "}}";
  FlagStore store(document);
  EXPECT_EQ(store.answer("f", "{}"), R"(STATIC pinned {"a":[1.0]})");
  EXPECT_EQ(store.evaluate("f", "{}").metadata_members, R"("flagstone.pinned":true)");
}

TEST(FlagdDialect, TypicalFlagsTakeLessThanAKilobyte) {
  FlagStore store(R"({"flags":{"f":{"state":"ENABLED","variants":{"red":"#c05543",
      "green":"#2f5230","blue":"#0d507b","off":"#000000"},"defaultVariant":"off","targeting":{"if":[
      {"ends_with":[{"var":"email"},"@example.com"]},{"fractional":[{"cat":[{"var":"$flagd.flagKey"},
      {"var":"targetingKey"}]},["red",25],["green",25],["blue",50]]},null]}}}})");
  EXPECT_LE(store.flag("f").bytes(), 1024U);
}

}  // namespace
}  // namespace flagstone::evaluation::flagd
