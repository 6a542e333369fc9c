// OpenFeature's contexts as LaunchDarkly's providers map them.
#include "evaluation/dialects/launchdarkly/context.h"

#include <gtest/gtest.h>

#include "evaluation/context_reader.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

// `kind=key` of each individual, `+` for an anonymous one, its name in brackets; `-` when it is
// invalid.
std::string described(std::string_view json) {
  ContextReader reader;
  Arena arena;
  const auto read = reader.read(json);
  EXPECT_TRUE(read) << json;
  const Context context = context_of(*read, arena);
  if (!context.is_valid) return "-";
  std::string text;
  for (const IndividualContext& one : context.individuals) {
    text.append(text.empty() ? "" : " ").append(one.kind).append("=").append(one.key);
    if (one.anonymous) text += '+';
    if (one.name.is_string()) text.append("(").append(one.name.as_string()).append(")");
  }
  return text;
}

struct Case {
  std::string_view json;
  std::string_view expected;
};

TEST(Context, IsMappedAsTheVendorsProviderMapsIt) {
  constexpr Case kCases[] = {
      {R"({"targetingKey":"a"})", "user=a"},
      {R"({"key":"a"})", "user=a"},
      {R"({"targetingKey":"a","key":"b"})", "user=a"},
      // Empty is missing, and so is what is no string.
      {R"({"targetingKey":"","key":"b"})", "user=b"},
      {R"({"targetingKey":5,"key":"b"})", "user=b"},
      {R"({"targetingKey":null,"key":5})", "-"},
      {R"({"targetingKey":""})", "-"},
      {"{}", "-"},
      {R"({"kind":"org","targetingKey":"a"})", "org=a"},
      {R"({"kind":7,"targetingKey":"a"})", "user=a"},
      {R"({"kind":"","targetingKey":"a"})", "user=a"},
      {R"({"kind":"kind","targetingKey":"a"})", "-"},
      {R"({"kind":"a b","targetingKey":"a"})", "-"},
      // Wrong types of these are dropped.
      {R"({"key":"a","name":"N","anonymous":true})", "user=a+(N)"},
      {R"({"key":"a","name":5,"anonymous":"yes"})", "user=a"},
      // What is no object is passed over, so is a kind whose targetingKey is no string.
      {R"({"kind":"multi","user":{"targetingKey":"a"},"org":{"key":"b","anonymous":true}})",
       "user=a org=b+"},
      {R"({"kind":"multi","targetingKey":"x","user":{"key":"a"},"org":7})", "user=a"},
      {R"({"kind":"multi","user":{"targetingKey":5,"key":"a"},"org":{"key":"b"}})", "org=b"},
      {R"({"kind":"multi","user":{"key":""},"org":{"key":"b"}})", "-"},
      {R"({"kind":"multi","a b":{"key":"a"}})", "-"},
      {R"({"kind":"multi"})", "-"},
  };
  for (const Case& test : kCases) EXPECT_EQ(described(test.json), test.expected) << test.json;
}

TEST(Context, KnowsItsPrivateAttributes) {
  ContextReader reader;
  Arena arena;
  const auto read = reader.read(R"({"key":"a","privateAttributes":["/x","y"],"_meta":{"z":1}})");
  const Context context = context_of(*read, arena);
  ASSERT_EQ(context.individuals[0].private_attributes.size(), 2U);
  EXPECT_FALSE(context.individuals[0].private_names_are_plain);
  const auto wrong = reader.read(R"({"key":"a","privateAttributes":"x"})");
  EXPECT_TRUE(context_of(*wrong, arena).individuals[0].private_attributes.empty());
}

struct AttributeCase {
  std::string_view text;
  Attribute::Kind as_reference;
  Attribute::Kind as_name;
};

TEST(Attribute, IsAReferenceOrAPlainName) {
  using Kind = Attribute::Kind;
  constexpr AttributeCase kCases[] = {
      {"", Kind::kUndefined, Kind::kUndefined},
      {"/", Kind::kInvalid, Kind::kCustom},
      {"//", Kind::kInvalid, Kind::kCustom},
      {"/a/", Kind::kInvalid, Kind::kCustom},
      {"/a//b", Kind::kInvalid, Kind::kCustom},
      {"/a~", Kind::kInvalid, Kind::kCustom},
      {"/a~2", Kind::kInvalid, Kind::kCustom},
      {"/a~0~1", Kind::kCustom, Kind::kCustom},
      {"a~", Kind::kCustom, Kind::kCustom},
      {"a/b", Kind::kCustom, Kind::kCustom},
      {"kind", Kind::kContextKinds, Kind::kContextKinds},
      {"/kind", Kind::kKind, Kind::kCustom},
      {"key", Kind::kKey, Kind::kKey},
      {"/name", Kind::kName, Kind::kCustom},
      {"anonymous", Kind::kAnonymous, Kind::kAnonymous},
      {"/key/x", Kind::kNever, Kind::kCustom},
      {"_meta", Kind::kNever, Kind::kNever},
      {"/_meta/x", Kind::kNever, Kind::kCustom},
  };
  for (const AttributeCase& test : kCases) {
    Arena arena;
    EXPECT_EQ(read_attribute(test.text, true, arena).kind, test.as_reference) << test.text;
    EXPECT_EQ(read_attribute(test.text, false, arena).kind, test.as_name) << test.text;
  }
  Arena arena;
  const Attribute deep = read_attribute("/a~1b/c~0d/e", true, arena);
  EXPECT_EQ(deep.name, "a/b");
  ASSERT_EQ(deep.deeper.size(), 2U);
  EXPECT_EQ(deep.deeper[0], "c~d");
  EXPECT_EQ(deep.deeper[1], "e");
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly
