#include "config/pins.h"

#include <gtest/gtest.h>

namespace flagstone::config {
namespace {

TEST(Pins, ReadsJsonAndYaml) {
  const std::vector<Pin> expected = {
      {"a", "true"}, {"b", "1.0"}, {"c", "\"text\""}, {"d", "{\"x\":[1,null,\"2\"]}"}};
  const auto json =
      parse_pins(R"({"a": true, "b": 1.0, "c": "text", "d": {"x": [1, null, "2"]}})", "p");
  ASSERT_TRUE(json);
  EXPECT_EQ(*json, expected);
  const auto yaml =
      parse_pins("a: true\nb: 1.0\nc: text\nd:\n  x:\n    - 1\n    - null\n    - \"2\"\n", "p");
  ASSERT_TRUE(yaml);
  EXPECT_EQ(*yaml, expected);
}

TEST(Pins, AnEmptyFileHoldsNone) {
  for (const std::string_view text : {"", "# none\n", "{}"}) {
    const auto pins = parse_pins(text, "p");
    ASSERT_TRUE(pins) << text;
    EXPECT_TRUE(pins->empty()) << text;
  }
}

TEST(Pins, SpellsValuesAsJson) {
  struct Row {
    std::string_view yaml, json;
  };
  for (const Row& row : {
           Row{"1", "1"},
           Row{"-0", "-0"},
           Row{"1e3", "1e3"},
           Row{"1E+3", "1E+3"},
           Row{"9223372036854775807", "9223372036854775807"},
           Row{"123456789012345678901234567890", "123456789012345678901234567890"},
           Row{"+1", "1"},
           Row{"007", "7"},
           Row{"-.5", "-0.5"},
           Row{"1.", "1"},
           Row{"0x1F", "31"},
           Row{"0o17", "15"},
           Row{"0x", "\"0x\""},
           Row{".", "\".\""},
           Row{"1e", "\"1e\""},
           Row{"1.2.3", "\"1.2.3\""},
           Row{"2026-11-21", "\"2026-11-21\""},
           Row{"yes", "\"yes\""},  // YAML 1.2: text.
           Row{"True", "true"},
           Row{"FALSE", "false"},
           Row{"'true'", "\"true\""},
           Row{"\"1\"", "\"1\""},
           Row{"''", "\"\""},
           Row{R"("a\"b\\c\n\t")", R"("a\"b\\c\u000a\u0009")"},
           Row{"gr\u00fc\u00df \U0001F600", "\"gr\u00fc\u00df \U0001F600\""},
           Row{"[]", "[]"},
           Row{"{}", "{}"},
           Row{"[true, {a: 1, b: x}]", "[true,{\"a\":1,\"b\":\"x\"}]"},
       }) {
    const auto pins = parse_pins("k: " + std::string(row.yaml) + "\n", "p");
    ASSERT_TRUE(pins) << row.yaml << ": " << to_string(pins.error().front());
    EXPECT_EQ(pins->at(0).json, row.json) << row.yaml;
  }
}

TEST(Pins, NamesLines) {
  struct Row {
    std::string text;
    std::string_view problem;
  };
  for (const Row& row : {
           Row{"- a\n", "p:1: pins must be a map like `{\"flag-key\": value}`, not a list"},
           Row{"a: 1\nb:\n",
               "p:2: `b` has no value, a flag needs true, false, a number, a text or an object"},
           Row{"a: 1\nb:\n  c: .nan\n", "p:3: `b`: `.nan` is no number that JSON can hold"},
           Row{"a: 1\na: 2\n", "p:2: duplicate key `a`, it stands in line 1 already"},
           Row{"a: 1\n\"\": 2\n", "p:2: a flag's key is empty"},
       }) {
    const auto pins = parse_pins(row.text, "p");
    ASSERT_FALSE(pins) << row.text;
    ASSERT_EQ(pins.error().size(), 1U) << row.text;
    EXPECT_EQ(to_string(pins.error()[0]), row.problem);
  }
}

// Whatever bytes the file holds, a pin's JSON is UTF-8: it goes into answers as it is.
TEST(Pins, TextIsUtf8) {
  const auto is_ascii_or_replaced = [](std::string_view json) {
    return json.find("\xff") == std::string_view::npos &&
           json.find("\xc0") == std::string_view::npos;
  };
  for (const std::string_view bad : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80"}) {
    const auto pins = parse_pins("k: \"a" + std::string(bad) + "b\"\n", "p");
    if (pins) {
      EXPECT_TRUE(is_ascii_or_replaced(pins->at(0).json)) << pins->at(0).json;
    }
  }
}

}  // namespace
}  // namespace flagstone::config
