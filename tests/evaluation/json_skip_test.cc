#include "evaluation/json_skip.h"

#include <gtest/gtest.h>

#include <string>

#include "evaluation/json_syntax.h"

namespace flagstone::evaluation {
namespace {

class Seen final : public PassedMembers {
 public:
  bool take(const PassedMember& member) override {
    text.append(std::to_string(member.depth)).append(member.escaped_name);
    text.append("=").append(1, *member.value).append(";");
    return member.escaped_name != "refuse";
  }
  std::string text;
};

// What pass_object() says of an object's text, told where that text begins; -1 when it gives up.
long passed_bytes(const std::string& text, Seen& seen) {
  const auto passed = pass_object(text.data() + 1, text.data() + text.size(), seen);
  return passed ? passed->end - text.data() : -1;
}

constexpr std::string_view kObjects[] = {
    R"({})",
    R"({"a":{"b":[1,-2.50e+3,{"c":"d"}],"e":true},"f":[],"g":[[],{}],"h":null})",
    R"({ "a" : "x\"y\\" , "b" : [ "\u00e9" , 0 , 0.5 , 1E5 , -0 ] , "long name, more than sixteen" : false })",
    "{\n\"a\":\r\n\t[ 1 ,\n2 ] ,\n \"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\" : \"\xf4\x8f\xbf\xbf\" "
    "}",
};

// Whatever byte is changed or cut off: what is passed over is valid, and what is valid is passed
// over to its end.
TEST(JsonSkip, AgreesWithJsonSyntax) {
  constexpr std::string_view kBytes =
      "{}[]\":,\\ \n\x01\x7f\x80\xc3\xff"
      "0-.eEut/an";
  std::size_t valid = 0;
  const auto check = [&valid](const std::string& text) {
    Seen seen;
    const long end = passed_bytes(text, seen);
    const bool is_valid = check_json(text, kQuickDepthMax).has_value();
    valid += is_valid;
    if (is_valid) {
      ASSERT_EQ(end, static_cast<long>(text.find_last_of('}') + 1)) << text;
    } else if (end >= 0) {
      ASSERT_TRUE(check_json(text.substr(0, static_cast<std::size_t>(end)), kQuickDepthMax))
          << text;
    }
  };
  for (const std::string_view object : kObjects) {
    for (std::size_t i = 1; i < object.size(); ++i) {
      check(std::string(object.substr(0, i)));
      for (const char byte : kBytes) {
        std::string changed(object);
        changed[i] = byte;
        check(changed);
        changed = object;
        changed.insert(i, 1, byte);
        check(changed);
      }
      check(std::string(object).erase(i, 1));
    }
    check(std::string(object));
  }
  EXPECT_GT(valid, 500U);
}

TEST(JsonSkip, TellsMembersAndLines) {
  const std::string text = "{\"a\":1,\n\"b\": {\"c\\\"\":[{\"no\":1}],\"d\":{\"no\":\n2}}}  tail";
  Seen seen;
  const auto passed = pass_object(text.data() + 1, text.data() + text.size(), seen);
  ASSERT_TRUE(passed);
  EXPECT_EQ(seen.text, "1a=1;1b={;2c\\\"=[;2d={;");
  EXPECT_EQ(passed->end - text.data(), static_cast<long>(text.size() - 6));
  EXPECT_EQ(passed->lines, 2U);
  EXPECT_EQ(passed->line_start - text.data(), static_cast<long>(text.find("2}}}")));
}

TEST(JsonSkip, GivesUpWhenTooDeepOrTold) {
  Seen seen;
  const auto nested = [](std::size_t arrays) {
    return R"({"a":)" + std::string(arrays, '[') + std::string(arrays, ']') + "}";
  };
  EXPECT_GT(passed_bytes(nested(kQuickDepthMax - 1), seen), 0);
  EXPECT_EQ(passed_bytes(nested(kQuickDepthMax), seen), -1);
  EXPECT_EQ(passed_bytes(R"({"refuse":1})", seen), -1);
}

TEST(JsonSkip, FindsClosingQuotes) {
  const std::string text = R"(abc\"defghijklmnopqrstuvwxyz\\"rest")";
  EXPECT_EQ(find_closing_quote(text.data(), text.data() + text.size()) - text.data(), 30);
  EXPECT_EQ(find_closing_quote(text.data(), text.data() + 5), text.data() + 5);
}

}  // namespace
}  // namespace flagstone::evaluation
