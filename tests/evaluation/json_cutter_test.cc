#include "evaluation/json_cutter.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "evaluation/dialect.h"

namespace flagstone::evaluation {
namespace {

using Strings = std::vector<std::string>;
using Wish = JsonCutter::Wish;

// Goes into what is called "in" or stands outside, takes what is called "take", and elements.
class Recorder final : public JsonCutter::Receiver {
 public:
  std::expected<Wish, std::string> on_value(const JsonCutter::Value& value) override {
    if (value.key == "refuse") return std::unexpected("refused");
    said.push_back("value " + std::to_string(value.depth) + " `" + std::string(value.key) + "` " +
                   value.first + " line " + std::to_string(value.line));
    if (value.depth == 0 && !takes_all) return Wish::kEnter;
    if (value.key == "in") return Wish::kEnter;
    return value.key == "skip" ? Wish::kSkip : Wish::kTake;
  }
  std::expected<void, std::string> on_taken(std::string_view raw) override {
    if (raw == "\"bad\"") return std::unexpected("not that one");
    said.push_back("taken " + std::string(raw));
    return {};
  }
  std::expected<void, std::string> on_left(std::size_t depth) override {
    said.push_back("left " + std::to_string(depth));
    return {};
  }

  bool takes_all = false;
  Strings said;
};

Strings cut(std::string_view text, std::size_t piece, bool takes_all = false,
            std::size_t bytes_max = 1 << 20, std::size_t value_bytes_max = 1 << 20) {
  Recorder recorder;
  recorder.takes_all = takes_all;
  JsonCutter cutter(bytes_max, value_bytes_max, recorder);
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (auto fed = cutter.feed(text.substr(at, piece)); !fed) {
      recorder.said.push_back(to_string(fed.error()));
      return recorder.said;
    }
  }
  if (auto whole = cutter.finish(); !whole) recorder.said.push_back(to_string(whole.error()));
  return recorder.said;
}

struct Row {
  std::string text;
  Strings said;
};

TEST(JsonCutterTest, CutsWhateverThePieces) {
  const std::vector<Row> rows = {
      {R"({"a":{"b":[1,{"c":"}"}]},"skip":{"in":{"x":1}},"b":true})",
       {"value 0 `` { line 1", "value 1 `a` { line 1", R"(taken {"b":[1,{"c":"}"}]})",
        "value 1 `skip` { line 1", "value 1 `b` t line 1", "taken true", "left 0"}},
      {"{\"in\" :\n{ \"k\\u0065y\" : 1.50 , \"s\":\"\\\"\" , \"in\":[ [] ,\"x\",-2e5 ] } }",
       {"value 0 `` { line 1", "value 1 `in` { line 2", "value 2 `key` 1 line 2", "taken 1.50",
        "value 2 `s` \" line 2", "taken \"\\\"\"", "value 2 `in` [ line 2", "value 3 `` [ line 2",
        "taken []", "value 3 `` \" line 2", "taken \"x\"", "value 3 `` - line 2", "taken -2e5",
        "left 2", "left 1", "left 0"}},
      {"[{},null]",
       {"value 0 `` [ line 1", "value 1 `` { line 1", "taken {}", "value 1 `` n line 1",
        "taken null", "left 0"}},
      {"{}", {"value 0 `` { line 1", "left 0"}},
      {R"({"refuse":1})", {"value 0 `` { line 1", "line 1, column 11 (byte 10): refused"}},
      {R"({"a":"bad"})",
       {"value 0 `` { line 1", "value 1 `a` \" line 1",
        "line 1, column 11 (byte 10): not that one"}},
  };
  for (const Row& row : rows) {
    for (std::size_t piece = 1; piece <= row.text.size(); ++piece) {
      EXPECT_EQ(cut(row.text, piece), row.said) << row.text << " in pieces of " << piece;
    }
  }
}

TEST(JsonCutterTest, ATextThatIsTakenWhole) {
  for (const std::string text : {"12", "\"x\"", "{\"a\":[1]}", "[1]", "true"}) {
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      const Strings said = cut(text, piece, true);
      ASSERT_EQ(said.size(), 2U) << text;
      EXPECT_EQ(said[1], "taken " + text);
    }
  }
}

TEST(JsonCutterTest, WhatIsNoJsonIsRefusedWhereverItIs) {
  for (const std::string text : {R"({"a":{"b":tru}})", R"({"skip":{"b":1,}})", "{\"a\":\"\xff\"}",
                                 R"({"a":1)", R"({"a":{"b":1})", "{} {}", ""}) {
    for (std::size_t piece = 1; piece <= text.size() + 1; ++piece) {
      const Strings said = cut(text, piece);
      ASSERT_FALSE(said.empty()) << text;
      EXPECT_TRUE(said.back().starts_with("line 1")) << said.back();
    }
  }
}

TEST(JsonCutterTest, HasItsBounds) {
  EXPECT_EQ(cut(R"({"a":1})", 3, false, 6).back(),
            "line 1, column 7 (byte 6): the document is larger than 6 bytes");
  EXPECT_EQ(cut(R"({"a":"0123456789"})", 4, false, 100, 6).back(),
            "line 1, column 13 (byte 12): a value of more than 6 bytes");
  EXPECT_EQ(cut(R"({"skip":"0123456789"})", 4, false, 100, 6).back(), "left 0");
  const std::string deep = std::string(kJsonDepthMax, '[') + std::string(kJsonDepthMax, ']');
  // One level is the text's own.
  EXPECT_TRUE(cut(R"({"skip":)" + deep + "}", 16).back().contains("nested deeper than"));
  EXPECT_EQ(cut(R"({"a":)" + deep + "}", 16).back(), "left 0") << "its reader's business";
}

// Says of which members it is told, until one is called "stop".
class Watching final : public JsonCutter::Receiver, private PassedMembers {
 public:
  std::expected<Wish, std::string> on_value(const JsonCutter::Value& value) override {
    return value.depth == 0 ? Wish::kEnter : Wish::kTake;
  }
  PassedMembers* watcher() override { return this; }
  std::expected<void, std::string> on_watched(std::string_view raw) override {
    said.push_back("watched " + std::string(raw));
    return {};
  }
  std::expected<void, std::string> on_taken(std::string_view raw) override {
    said.push_back("taken " + std::string(raw));
    return {};
  }
  std::expected<void, std::string> on_left(std::size_t) override { return {}; }

  Strings said;

 private:
  bool take(const PassedMember& member) override {
    said.push_back("told " + std::string(member.escaped_name));
    return member.escaped_name != "stop";
  }
};

TEST(JsonCutterTest, TellsOfTheMembersOfWhatLiesWholeInAPiece) {
  constexpr std::string_view kText = R"([{"a":{"b":1}},5,{"stop":2},{"c":3}])";
  for (const std::size_t first : {kText.size(), kText.size() - 2}) {
    Watching watching;
    JsonCutter cutter(1 << 20, 1 << 20, watching);
    ASSERT_TRUE(cutter.feed(kText.substr(0, first)));
    ASSERT_TRUE(cutter.feed(kText.substr(first)));
    ASSERT_TRUE(cutter.finish());
    Strings expected = {"told a",  "told b",    "watched {\"a\":{\"b\":1}}",
                        "taken 5", "told stop", "taken {\"stop\":2}"};
    // The last one is cut off before its end.
    if (first == kText.size()) expected.insert(expected.end(), {"told c", "watched {\"c\":3}"});
    if (first != kText.size()) expected.insert(expected.end(), {"told c", "taken {\"c\":3}"});
    EXPECT_EQ(watching.said, expected) << first;
  }
}

}  // namespace
}  // namespace flagstone::evaluation
