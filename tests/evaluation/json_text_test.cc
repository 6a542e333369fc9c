#include "evaluation/json_text.h"

#include <gtest/gtest.h>

#include "evaluation/json_cursor.h"
#include "evaluation/json_syntax.h"

namespace flagstone::evaluation {
namespace {

using namespace std::string_view_literals;

TEST(JsonText, EscapesWhatJsonDemandsAndNothingElse) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", R"("")"},
      {"a&b<c>", R"("a&b<c>")"},
      {"\"\\", R"("\"\\")"},
      {"\b\f\n\r\t", R"("\b\f\n\r\t")"},
      {"\0\x1f\x7f"sv, "\"\\u0000\\u001f\x7f\""},
      {"é😀", "\"é😀\""},
  };
  for (const auto& [text, json] : cases) {
    std::string out;
    append_json_string(out, text);
    EXPECT_EQ(out, json);
    std::string back;
    append_unescaped(back, std::string_view(out).substr(1, out.size() - 2));
    EXPECT_EQ(back, text);
  }
}

TEST(JsonText, ResolvesEscapes) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"(\u0041\/\u00e9)", "A/é"},
      {R"(\ud83d\ude00!)", "😀!"},
      {R"(\ud83d)", "\uFFFD"},
      {R"(\ud83dx)", "\uFFFDx"},
      {R"(\ude00\ud83d)", "\uFFFD\uFFFD"},
      {R"(\ud83d\u0041)", "\uFFFDA"},
  };
  for (const auto& [escaped, plain] : cases) {
    std::string out;
    append_unescaped(out, escaped);
    EXPECT_EQ(out, plain) << escaped;
  }
}

TEST(JsonText, MinifyingKeepsEverySpelling) {
  std::string out;
  append_minified(out, " { \"a b\\\" \" : [ 1.0 ,\n1e5,\t\"\\u00e9 \\\\\" , { } ] } ");
  EXPECT_EQ(out, R"({"a b\" ":[1.0,1e5,"\u00e9 \\",{}]})");
}

TEST(JsonCursor, GivesMembersAsSpelled) {
  JsonCursor cursor(R"( {"a" : 1.0 , "b\"": {"x":["]}"]} ,"c":"}","d":null } )");
  std::string seen;
  std::string_view key;
  std::string_view value;
  while (cursor.next(key, value)) seen.append(key).append("=").append(value).append(";");
  EXPECT_EQ(seen, R"(a=1.0;b\"={"x":["]}"]};c="}";d=null;)");
}

TEST(JsonSyntax, SaysWhereATextIsWrong) {
  struct Case {
    std::string_view text;
    std::size_t offset;
    std::string_view message;
  };
  const Case cases[] = {
      {"", 0, "the text ends too early"},
      {"{\"a\":1,}", 7, "expected a name in quotes"},
      {"[1 2]", 3, "expected ',' or ']'"},
      {"{\"a\" 1}", 5, "expected ':'"},
      {"[01]", 2, "a number has a leading zero"},
      {"[1.]", 3, "expected a digit after '.'"},
      {"[nul]", 4, "expected a value"},
      {"[\"\\x\"]", 3, "unknown escape in a string"},
      {"[\"\n\"]", 2, "control character in a string"},
      {"[\"\xc3\"]", 3, "invalid UTF-8"},
      {"[\"\xed\xa0\x80\"]", 3, "invalid UTF-8"},
      {"\xEF\xBB\xBF{}", 0, "byte order mark"},
      {"{} x", 3, "unexpected text after the end"},
      {"[[[]]]", 3, "nested too deep"},
      {"-", 1, "the text ends too early"},
  };
  for (const Case& one : cases) {
    const auto checked = check_json(one.text, 2);
    ASSERT_FALSE(checked) << one.text;
    EXPECT_EQ(checked.error().message, one.message) << one.text;
    EXPECT_EQ(checked.error().byte_offset, one.offset) << one.text;
  }
  EXPECT_TRUE(check_json(" -0.5E+3 ", 0));
  EXPECT_TRUE(check_json("\"\\ud800\"", 0));
}

}  // namespace
}  // namespace flagstone::evaluation
