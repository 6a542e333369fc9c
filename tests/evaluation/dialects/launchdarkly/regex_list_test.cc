// What a record's regular expressions may take together, and that one text is one expression.
#include "evaluation/dialects/launchdarkly/regex_list.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/evaluation/dialects/launchdarkly/flag_store.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

TEST(RegexList, IsBoundedAsAWhole) {
  RegexList list;
  std::size_t refused = 0;
  for (int i = 0; i < 5000; ++i) refused += list.add("v" + std::to_string(i)) == nullptr;
  EXPECT_EQ(list.size() + refused, 5000U);
  EXPECT_GT(list.size(), 200U);
  EXPECT_TRUE(list.is_full());
  EXPECT_LE(list.bytes(), RegexList::kBytesMax);
  EXPECT_GT(list.bytes(), RegexList::kBytesMax - 2 * RegexList::kFixedBytes);
}

// They take no memory, but time to find out.
TEST(RegexList, CountsTextsThatAreNoExpressionsAsWell) {
  RegexList list;
  for (std::size_t i = 0; i < RegexList::kCountMax; ++i) EXPECT_EQ(list.add("("), nullptr);
  EXPECT_EQ(list.bytes(), 0U);
  EXPECT_TRUE(list.is_full());
  EXPECT_EQ(list.add("a"), nullptr);
}

// A rule for each list of expressions, the first for the attribute a0; true where one matches.
std::string flag_matching(std::initializer_list<std::string> lists) {
  std::string rules;
  for (std::size_t i = 0; const std::string& list : lists) {
    rules.append(i == 0 ? "" : ",").append(R"({"variation":1,"clauses":[{"attribute":"a)");
    rules.append(std::to_string(i++)).append(R"(","op":"matches","values":[)");
    rules.append(list).append("]}]}");
  }
  return R"({"key":"f","on":true,"variations":[false,true],"fallthrough":{"variation":0},)"
         R"("rules":[)" +
         rules + "]}";
}

std::size_t bytes_with(FlagStore& store, std::initializer_list<std::string> lists) {
  EXPECT_TRUE(store.add_flag("f", flag_matching(lists)));
  return store.find(kFlagKind, {}, "f")->bytes();
}

bool matches(FlagStore& store, std::string_view attribute, std::string_view text) {
  std::string context = R"({"targetingKey":"u",")";
  context.append(attribute).append(R"(":")").append(text).append(R"("})");
  return store.evaluate("f", context).value_json == "true";
}

std::string different(std::size_t count) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) {
    list.append(i == 0 ? "" : ",").append(R"("x)").append(std::to_string(i)).append(R"(y")");
  }
  return list;
}

TEST(RegexList, KeepsARecordOfManyExpressionsSmall) {
  FlagStore store;
  const std::size_t bytes = bytes_with(store, {different(150'000)});
  EXPECT_LT(bytes, RegexList::kBytesMax + (std::size_t{64} << 10));
  EXPECT_GT(bytes, RegexList::kBytesMax / 2);
  EXPECT_TRUE(matches(store, "a0", "x7y"));
  // Beyond the bound none matches.
  EXPECT_FALSE(matches(store, "a0", "x149999y"));
}

TEST(RegexList, OneTextIsOneExpressionHoweverOftenItComes) {
  FlagStore store;
  const std::size_t one = bytes_with(store, {R"("a+")"});
  std::string again = R"("a+")";
  for (int i = 0; i < 10'000; ++i) again += R"(,"a+")";
  // Places are kept for as many as could be different.
  EXPECT_LE(bytes_with(store, {again}), one + RegexList::kCountMax * sizeof(void*));
  const std::size_t empty_rule = bytes_with(store, {R"("a+")", ""}) - one;
  EXPECT_EQ(bytes_with(store, {R"("a+")", R"("a+")"}), one + empty_rule + sizeof(void*));
  EXPECT_TRUE(matches(store, "a0", "aa"));
  EXPECT_TRUE(matches(store, "a1", "aa"));
}

TEST(RegexList, OneThatIsThereMatchesBehindTheBoundToo) {
  FlagStore store;
  ASSERT_TRUE(
      store.add_flag("f", flag_matching({R"("(","old")", different(2000), R"("(","new","old")"})));
  EXPECT_TRUE(matches(store, "a0", "old"));
  EXPECT_TRUE(matches(store, "a2", "old"));
  EXPECT_FALSE(matches(store, "a2", "new"));
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly
