#include "evaluation/dialects/launchdarkly/wire/sdk_context.h"

#include <gtest/gtest.h>

#include <string>

namespace flagstone::evaluation::launchdarkly {
namespace {

struct Case {
  std::string_view json;
  // See name_of(), or `!` and what is wrong.
  std::string_view expected;
};

constexpr Case kCases[] = {
    {R"({"kind":"user","key":"u:1%"})", "u:1%"},
    {R"({"kind":"org","key":"u:1%"})", "org:u:1%"},
    {R"({"kind":"multi","user":{"key":"u:1"},"org":{"key":"o"}})", "org:o,u:1"},
    // One of several kinds is that one.
    {R"({"kind":"multi","user":{"key":"u:1"}})", "u:1"},
    {R"({"kind":"multi","org":{"key":"a","kind":"team"}})", "team:a"},
    {R"({"kind":"multi","":{"key":"a"}})", "a"},
    {R"({"kind":"multi","org":{"key":"a","kind":"user"},"user":{"key":"b"}})",
     "!a kind comes twice"},
    {R"({"kind":"multi"})", "!a context of several kinds has none"},
    {R"({"kind":"multi","org":1})", "!org is not an object"},
    {R"({"kind":"multi","multi":{"key":"a"}})", "!\"multi\" is no kind of context"},
    {R"({"kind":"multi","user":{"key":""}})", "!the context has no key, or an empty one"},
    {R"({"kind":"a b","key":"x"})", "!\"a b\" is no kind of context"},
    {R"({"kind":"kind","key":"x"})", "!\"kind\" is no kind of context"},
    {R"({"kind":"","key":"x"})", "!kind is empty"},
    {R"({"kind":null,"key":"x"})", "!kind is not a string"},
    {R"({"kind":"user","key":1})", "!key is not a string"},
    {R"({"kind":"user","key":null})", "!key is not a string"},
    {R"({"kind":"user"})", "!the context has no key, or an empty one"},
    {R"({"kind":"user","key":"a","name":1})", "!name is not a string"},
    {R"({"kind":"user","key":"a","name":null})", "a"},
    {R"({"kind":"user","key":"a","anonymous":null})", "!anonymous is not a boolean"},
    {R"({"kind":"user","key":"a","_meta":1})", "!_meta is not an object"},
    {R"({"kind":"user","key":"a","_meta":null})", "a"},
    {R"({"kind":"user","key":"a","_meta":{"privateAttributes":[1]}})",
     "!privateAttributes is not a list of strings"},
    {R"({"kind":"user","key":"a","_meta":{"privateAttributes":["/x"],"secondary":"s"}})", "a"},
    // Legacy users.
    {R"({"key":""})", ""},
    {R"({"key":"u:1"})", "u:1"},
    {R"({})", "!the user has no key"},
    {R"({"key":null})", "!key is not a string"},
    {R"({"key":"a","anonymous":null,"name":null,"email":null,"custom":null})", "a"},
    {R"({"key":"a","anonymous":"yes"})", "!anonymous is not a boolean"},
    {R"({"key":"a","email":1})", "!email is not a string"},
    {R"({"key":"a","secondary":1})", "!secondary is not a string"},
    {R"({"key":"a","custom":[]})", "!custom is not an object"},
    {R"({"key":"a","privateAttributeNames":"x"})",
     "!privateAttributeNames is not a list of strings"},
    {R"({"key":"a","unknown":{}})", "a"},
    {R"([])", "!"},
    {R"({"key":)", "!"},
};

// `KIND:KEY`, of users the key alone; commas between several, which are sorted by kind.
std::string name_of(const Context& context) {
  std::string name;
  for (const IndividualContext& one : context.individuals) {
    if (&one != &context.individuals.front()) name += ',';
    if (one.kind != kDefaultContextKind) name.append(one.kind).append(":");
    name += one.key;
  }
  return name;
}

TEST(SdkContext, IsReadAsLaunchDarklyReadsIt) {
  SdkContextReader reader;
  for (const Case& test : kCases) {
    const auto context = reader.read(test.json);
    if (test.expected.starts_with('!')) {
      ASSERT_FALSE(context) << test.json;
      const bool any = test.expected == "!";
      EXPECT_EQ(any ? "!" : "!" + context.error(), test.expected);
      continue;
    }
    ASSERT_TRUE(context) << test.json << context.error();
    Arena arena;
    EXPECT_EQ(name_of(context_of(*context, arena)), test.expected) << test.json;
  }
}

Value attribute(const Context& context, std::string_view kind, std::string_view reference) {
  Arena arena;
  const IndividualContext* const individual = context.find(kind);
  EXPECT_NE(individual, nullptr);
  return individual->value_of(read_attribute(reference, true, arena));
}

TEST(SdkContext, ALegacyUsersAttributesAreThoseOfAContext) {
  SdkContextReader reader;
  Arena arena;
  const auto read = reader.read(
      R"({"key":"a","email":"top","custom":{"email":"custom","kind":"x","name":"no","age":7,
          "gone":1,"gone":null},"lastName":"L","name":"N","unknown":1,
          "privateAttributeNames":["/x"]})");
  ASSERT_TRUE(read) << read.error();
  const Context context = context_of(*read, arena);
  EXPECT_EQ(attribute(context, "user", "email").as_string(), "custom");
  EXPECT_EQ(attribute(context, "user", "lastName").as_string(), "L");
  EXPECT_EQ(attribute(context, "user", "name").as_string(), "N");
  EXPECT_EQ(attribute(context, "user", "/kind").as_string(), "user");
  EXPECT_EQ(attribute(context, "user", "age").as_int(), 7);
  EXPECT_TRUE(attribute(context, "user", "gone").is_null());
  EXPECT_TRUE(attribute(context, "user", "unknown").is_null());
  EXPECT_TRUE(context.individuals[0].private_names_are_plain);
  ASSERT_EQ(context.individuals[0].private_attributes.size(), 1U);
}

TEST(SdkContext, WhatOpenFeatureTakesForSpecialIsPlainHere) {
  SdkContextReader reader;
  Arena arena;
  const auto read = reader.read(
      R"({"kind":"org","key":"k","targetingKey":"t","privateAttributes":["p"],"_meta":{}})");
  ASSERT_TRUE(read) << read.error();
  const Context context = context_of(*read, arena);
  EXPECT_EQ(context.individuals[0].key, "k");
  EXPECT_EQ(attribute(context, "org", "targetingKey").as_string(), "t");
  EXPECT_TRUE(attribute(context, "org", "privateAttributes").is_array());
  EXPECT_TRUE(attribute(context, "org", "_meta").is_null());
  EXPECT_TRUE(context.individuals[0].private_attributes.empty());
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly
