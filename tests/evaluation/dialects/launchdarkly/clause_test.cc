// Every operator, as a table: what a context's attribute is, what the clause lists, whether they
// match. Sources: sdk-test-harness (server-side-eval), go-server-sdk-evaluation v3.
#include <gtest/gtest.h>

#include "tests/evaluation/dialects/launchdarkly/flag_store.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

// The members of the clause, and whether a user with those attributes matches.
bool matches(std::string_view clause, std::string_view attributes) {
  FlagStore store;
  std::string flag = R"({"key":"f","version":1,"on":true,"variations":[false,true],)";
  flag.append(R"("fallthrough":{"variation":0},"rules":[{"variation":1,"clauses":[{)");
  flag.append(clause).append("}]}]}");
  EXPECT_TRUE(store.add_flag("f", flag)) << flag << store.problem().message;
  std::string context = R"({"targetingKey":"u")";
  if (!attributes.empty()) context.append(",").append(attributes);
  const Evaluation result = store.evaluate("f", context + "}");
  EXPECT_EQ(result.error, ErrorCode::kNone) << clause;
  return result.reason == Reason::kRuleMatch;
}

struct OperatorCase {
  std::string_view op;
  std::string_view value;   // The attribute's.
  std::string_view listed;  // The clause's.
  bool expected;
};

constexpr OperatorCase kOperators[] = {
    {"in", R"("a")", R"(["b","a"])", true},
    {"in", R"("a")", R"(["A"])", false},
    {"in", "5", "[5.0]", true},
    {"in", "5", R"(["5"])", false},
    {"in", R"("5")", "[5]", false},
    {"in", "true", "[true]", true},
    {"in", "true", "[false]", false},
    {"in", "true", R"(["true"])", false},
    {"in", "false", "[0]", false},
    {"in", R"(["x","a"])", R"(["a"])", true},
    {"in", "[]", "[[]]", false},
    {"in", "{}", "[{}]", false},
    {"in", R"("a")", R"([null,{},"a"])", true},
    {"in", R"("a")", "null", false},
    {"in", R"("g")", R"(["a","b","c","d","e","f","g","h"])", true},
    {"in", R"("i")", R"(["a","b","c","d","e","f","g","h"])", false},
    {"startsWith", R"("abc")", R"(["x","ab"])", true},
    {"startsWith", R"("abc")", R"(["bc"])", false},
    {"startsWith", R"("abc")", R"([""])", true},
    {"startsWith", "12", R"(["1"])", false},
    {"startsWith", R"("12")", "[1]", false},
    {"endsWith", R"("abc")", R"(["bc"])", true},
    {"endsWith", R"("abc")", R"(["BC"])", false},
    {"contains", R"("abc")", R"(["b"])", true},
    {"contains", R"("abc")", R"(["d"])", false},
    {"matches", R"("hello world")", R"(["hello.*rld"])", true},
    {"matches", R"("hello world")", R"(["l+"])", true},
    {"matches", R"("hello world")", R"(["aloha"])", false},
    {"matches", R"("hello world")", R"(["***bad regex"])", false},
    {"matches", R"("ab")", R"(["(","a"])", true},
    {"matches", "12", R"(["1"])", false},
    {"matches", R"("x")", "[5]", false},
    // Beyond what one may have.
    {"matches", R"("aaaa")", R"(["((a{100}){100}){10}|a"])", false},
    {"lessThan", "1", "[1.99999]", true},
    {"lessThan", "1", "[1]", false},
    {"lessThan", "1", R"(["2"])", false},
    {"lessThan", R"("1")", "[2]", false},
    {"lessThanOrEqual", "1", "[1]", true},
    {"lessThanOrEqual", "2", "[1]", false},
    {"greaterThan", "2", "[1.99999]", true},
    {"greaterThan", "2", "[2]", false},
    {"greaterThanOrEqual", "2", "[2]", true},
    {"greaterThanOrEqual", "1", "[3,2]", false},
    {"greaterThanOrEqual", "1", "[3,1]", true},
    {"before", "0", "[1]", true},
    {"before", "-100", "[0]", true},
    {"before", R"("1970-01-01T00:00:00Z")", "[1000]", true},
    {"before", R"("1970-01-01T00:00:00.500Z")", "[1000]", true},
    {"before", R"("1970-01-01T00:00:00Z")", R"(["1970-01-01T00:00:00.000000001Z"])", true},
    {"before", R"("1970-01-01T00:00:00Z")", R"(["1970-01-01T00:00:00Z"])", false},
    {"before", R"("1970-01-01T00:00:00-01:00")", R"(["1970-01-01T00:00:00Z"])", false},
    {"after", R"("1970-01-01T00:00:00-01:00")", R"(["1970-01-01T00:00:00Z"])", true},
    {"after", R"("1970-01-01T00:00:02.500Z")", "[1000]", true},
    {"after", "1", R"(["1970-01-01"])", false},
    {"after", R"("1000")", "[1]", false},
    {"after", R"("1970-01-01T00:00:01")", "[0]", false},
    {"after", R"("2024-02-30T00:00:00Z")", R"(["2024-02-29T23:59:59Z"])", true},
    {"before", R"("2024-02-30T00:00:00Z")", R"(["2024-03-01T00:00:00.1z"])", true},
    {"after", R"("2024-03-01T4:00:00Z")", R"(["2024-03-01T03:59:59Z"])", true},
    {"after", R"("2024-03-01T04:00:00.1234567890Z")", "[0]", false},
    // Go takes this moment for none.
    {"after", "0", R"(["0001-01-01T00:00:00Z"])", false},
    {"after", "0", R"(["0001-01-01T00:00:01Z"])", true},
    {"semVerEqual", R"("2.0.0")", R"(["2.0.0"])", true},
    {"semVerEqual", R"("2.0")", R"(["2.0.0"])", true},
    {"semVerEqual", R"("2")", R"(["2.0.0"])", true},
    {"semVerEqual", R"("2-rc1")", R"(["2.0.0-rc1"])", true},
    {"semVerEqual", R"("2+build")", R"(["2.0.0+other"])", true},
    {"semVerEqual", R"("02.0.0")", R"(["2.0.0"])", false},
    {"semVerEqual", R"("v2.0.0")", R"(["2.0.0"])", false},
    {"semVerEqual", R"("2.0.0.0")", R"(["2.0.0"])", false},
    {"semVerEqual", "2", R"(["2.0.0"])", false},
    {"semVerEqual", R"("2")", "[2]", false},
    {"semVerEqual", R"("2.")", R"(["2.0.0"])", false},
    {"semVerEqual", R"("2.0.")", R"(["2.0.0"])", false},
    {"semVerEqual", R"("2-")", R"(["2.0.0"])", false},
    {"semVerEqual", R"("2+")", R"(["2.0.0"])", false},
    {"semVerEqual", R"("2.0.0-a..b")", R"(["2.0.0-a"])", false},
    {"semVerEqual", R"("2.0.0-a.")", R"(["2.0.0-a"])", false},
    {"semVerEqual", R"("2.0-a.1+b.01")", R"(["2.0.0-a.1"])", true},
    {"semVerEqual", R"("2.0.0-01")", R"(["2.0.0-1"])", false},
    {"semVerEqual", R"("2.0.0-0a")", R"(["2.0.0-0a"])", true},
    {"semVerEqual", R"("2.0.0 ")", R"(["2.0.0"])", false},
    {"semVerLessThan", R"("2.0.0-rc")", R"(["2.0.0"])", true},
    {"semVerLessThan", R"("2.0.0-rc.1")", R"(["2.0.0-rc.10"])", true},
    {"semVerLessThan", R"("2.0.0-rc.9")", R"(["2.0.0-rc.beta"])", true},
    {"semVerLessThan", R"("2.0.0-rc")", R"(["2.0.0-rc.1"])", true},
    {"semVerLessThan", R"("2.0.1")", R"(["2.0.0"])", false},
    {"semVerGreaterThan", R"("2.0.1")", R"(["2.0.0"])", true},
    {"semVerGreaterThan", R"("10.0.0")", R"(["9.9.9"])", true},
    {"semVerGreaterThan", R"("2.0.0")", R"(["xbad"])", false},
    {"nope", R"("a")", R"(["a"])", false},
};

TEST(Clause, ComparesAsItsOperatorSays) {
  for (const OperatorCase& test : kOperators) {
    std::string clause = R"("attribute":"a","op":")";
    clause.append(test.op).append(R"(","values":)").append(test.listed);
    const std::string attributes = R"("a":)" + std::string(test.value);
    EXPECT_EQ(matches(clause, attributes), test.expected)
        << test.value << " " << test.op << " " << test.listed;
    // Negation turns every one of them round.
    EXPECT_EQ(matches(clause + R"(,"negate":true)", attributes), !test.expected)
        << test.value << " not " << test.op << " " << test.listed;
  }
}

struct AttributeCase {
  std::string_view clause;
  std::string_view attributes;
  bool expected;
};

constexpr AttributeCase kAttributes[] = {
    // What is not there matches neither way.
    {R"("attribute":"a","op":"in","values":["x"],"negate":true)", "", false},
    {R"("attribute":"a","op":"in","values":["x"],"negate":true)", R"("a":null)", false},
    {R"("contextKind":"org","attribute":"key","op":"in","values":["x"],"negate":true)", "", false},
    // Of duplicates the last counts.
    {R"("attribute":"a","op":"in","values":["y"])", R"("a":"x","a":"y")", true},
    // Without a kind a name is plain, with one it is a reference.
    {R"("attribute":"/a","op":"in","values":["x"])", R"("/a":"x","a":"y")", true},
    {R"("contextKind":"user","attribute":"/a","op":"in","values":["y"])", R"("/a":"x","a":"y")",
     true},
    {R"("contextKind":"user","attribute":"/a~1b","op":"in","values":["x"])", R"("a/b":"x")", true},
    {R"("contextKind":"user","attribute":"a/b","op":"in","values":["x"])", R"("a/b":"x")", true},
    {R"("contextKind":"user","attribute":"/a/b","op":"in","values":["x"])", R"("a":{"b":"x"})",
     true},
    {R"("contextKind":"user","attribute":"/a/0","op":"in","values":["x"])", R"("a":["x"])", false},
    {R"("contextKind":"user","attribute":"/a/0","op":"in","values":["x"])", R"("a":{"0":"x"})",
     true},
    // Built-in ones.
    {R"("attribute":"key","op":"in","values":["u"])", "", true},
    {R"("attribute":"anonymous","op":"in","values":[false])", "", true},
    {R"("attribute":"name","op":"in","values":["N"])", R"("name":"N")", true},
    {R"("attribute":"name","op":"in","values":[5])", R"("name":5)", false},
    {R"("attribute":"_meta","op":"in","values":["x"],"negate":true)", R"("_meta":"x")", false},
    {R"("attribute":"targetingKey","op":"in","values":["u"])", "", false},
    // `kind` is every kind of the context, whatever the clause's; `/kind` is that of one.
    {R"("contextKind":"org","attribute":"kind","op":"in","values":["user"])", "", true},
    {R"("attribute":"kind","op":"in","values":["user"],"negate":true)", "", false},
    {R"("contextKind":"org","attribute":"/kind","op":"in","values":["org"])", "", false},
    {R"("contextKind":"user","attribute":"/kind","op":"in","values":["user"])", "", true},
};

TEST(Clause, FindsItsAttribute) {
  for (const AttributeCase& test : kAttributes) {
    EXPECT_EQ(matches(test.clause, test.attributes), test.expected)
        << test.clause << " " << test.attributes;
  }
}

TEST(Clause, WithoutAnAttributeMakesTheFlagMalformed) {
  constexpr std::string_view kBad[] = {
      R"("op":"in","values":["x"])",
      R"("attribute":"","op":"in","values":["x"])",
      R"("attribute":null,"op":"in","values":["x"])",
      R"("contextKind":"user","attribute":"/","op":"in","values":["x"])",
      R"("contextKind":"user","attribute":"//a","op":"in","values":["x"])",
      R"("contextKind":"user","attribute":"/a/","op":"in","values":["x"])",
      R"("contextKind":"user","attribute":"/a~2","op":"in","values":["x"])",
      R"("contextKind":"user","attribute":"/a~","op":"nope","values":["x"])",
  };
  for (const std::string_view clause : kBad) {
    FlagStore store;
    std::string flag = R"({"key":"f","on":true,"variations":[1],"fallthrough":{"variation":0},)";
    flag.append(R"("rules":[{"variation":0,"clauses":[{)").append(clause).append("}]}]}");
    ASSERT_TRUE(store.add_flag("f", flag)) << flag;
    EXPECT_EQ(store.answer("f", R"({"targetingKey":"u"})"), "ERROR PARSE_ERROR") << clause;
  }
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly
