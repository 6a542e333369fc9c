#include "evaluation/dialects/flagd/wire/yaml_to_json.h"

#include <gtest/gtest.h>

#include "evaluation/dialects/flagd/wire/decode_document.h"
#include "tests/evaluation/dialects/flagd/flag_store.h"

namespace flagstone::evaluation::flagd {
namespace {

struct Case {
  std::string_view yaml;
  std::string_view json;
};

TEST(YamlToJson, ScalarsGetCoreTypes) {
  constexpr Case kCases[] = {
      {"true", "true"},
      {"False", "false"},
      {"yes", "\"yes\""},
      {"on", "\"on\""},
      {"~", "null"},
      {"null", "null"},
      {"Null", "null"},
      {"1", "1"},
      {"1.0", "1.0"},
      {"-1e3", "-1e3"},
      {"+1", "1"},
      {".5", "0.5"},
      {"1.", "1.0"},
      {"0x1F", "31"},
      {"0o17", "15"},
      {"017", "15"},
      {"-0b11", "-3"},
      {"1_000", "1000"},
      {"09", "9"},
      {"1.2.3", "\"1.2.3\""},
      {"'1'", "\"1\""},
      {"\"true\"", "\"true\""},
      {"!!str 1", "\"1\""},
      {"2001-01-01", "\"2001-01-01\""},
      {"12345678901234567890123", "12345678901234567890123"},
      {"a \"b\"", "\"a \\\"b\\\"\""},
      {"-", "[null]"},
      {"<", "\"<\""},
      {"''", "\"\""},
      {"1e", "\"1e\""},
      {"0x", "\"0x\""},
      {"+", "\"+\""},
      {".", "\".\""},
  };
  for (const Case& one : kCases) {
    const auto json = yaml_to_json(one.yaml);
    ASSERT_TRUE(json) << one.yaml << ": " << to_string(json.error());
    EXPECT_EQ(*json, one.json) << one.yaml;
  }
}

TEST(YamlToJson, ValuesStayOnTheirLines) {
  const auto json =
      yaml_to_json("# comment\na:\n  - 1\n\n  - {b: 2, on: x}\nc: |\n  two\n  lines\n5: ~\n");
  ASSERT_TRUE(json);
  EXPECT_EQ(
      *json,
      "\n{\"a\":\n[1,\n\n{\"b\":2,\"on\":\"x\"}],\n\"c\":\"two\\nlines\\n\",\n\n\n\"5\":null}");
}

TEST(YamlToJson, RefusesWithThePlace) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"a: &x 1\nb: *x\n", "line 2, column 4 (byte 11): YAML aliases are not supported"},
      {"<<: {a: 1}", "line 1, column 1 (byte 0): YAML merge keys are not supported"},
      {"a: .inf", "line 1, column 4 (byte 3): JSON has no .inf"},
      {"a: !binary x", "line 1, column 4 (byte 3): unknown YAML tag !binary"},
      {"? [a]\n: 1", "line 1, column 3 (byte 2): a mapping's key must be a scalar"},
      {"", "the document is empty"},
      {"a: 1\n---\nb: 1\n", "more than one YAML document"},
      {std::string(kYamlBytesMax + 1, ' '), "a YAML document may have 1048576 bytes at most"},
  };
  for (const auto& [yaml, error] : cases) {
    const auto json = yaml_to_json(yaml);
    ASSERT_FALSE(json) << yaml.substr(0, 40) << *json;
    EXPECT_EQ(to_string(json.error()), error);
  }
  const auto broken = yaml_to_json("a: 1\nb: [1\n");
  ASSERT_FALSE(broken);
  EXPECT_GE(broken.error().line, 2U);
  EXPECT_FALSE(yaml_to_json(std::string(100'000, '[')));
}

TEST(YamlToJson, FlagsAnswerAsFromJson) {
  FlagStore store(R"(
flags:
  f:
    state: ENABLED
    variants: {on: true, off: false}
    defaultVariant: "off"
    targeting:
      if:
        - "==": [{var: tier}, gold]
        - "on"
)",
                  {}, DocumentFormat::kYaml);
  EXPECT_EQ(store.answer("f", R"({"tier":"gold"})"), "TARGETING_MATCH on true");
  EXPECT_EQ(store.answer("f", "{}"), "DEFAULT off false");
}

TEST(YamlToJson, ErrorsInTheDocumentKeepTheirLine) {
  const auto update =
      decode_document("metadata:\n  a: 1\nflags:\n  - x: 1\n", DocumentFormat::kYaml);
  ASSERT_FALSE(update);
  EXPECT_EQ(update.error().message, "an element of \"flags\" has no \"key\"");
  EXPECT_EQ(update.error().line, 4U);
}

}  // namespace
}  // namespace flagstone::evaluation::flagd
