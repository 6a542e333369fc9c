#include "config/json_text.h"

#include <gtest/gtest.h>

namespace flagstone::config {
namespace {

TEST(JsonText, RefusesWhatIsNotUtf8) {
  for (const std::string_view bad :
       {"\xff", "\x80", "\xc2", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xe2\x28\xa1"}) {
    std::string json;
    EXPECT_FALSE(append_json_string(bad, json));
    YamlNode node;
    node.kind = YamlNode::Kind::kScalar;
    node.quoted = true;
    node.line = 3;
    node.text = bad;
    const auto problem = append_json(node, json);
    ASSERT_TRUE(problem);
    EXPECT_EQ(problem->line, 3U);
    EXPECT_EQ(problem->message, "the text is not UTF-8");
  }
}

TEST(JsonText, KeepsUtf8AndEscapes) {
  for (const std::string_view good :
       {"\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\uffff", "\U00010000", "\U0010ffff"}) {
    std::string json;
    EXPECT_TRUE(append_json_string(good, json));
    EXPECT_EQ(json, "\"" + std::string(good) + "\"");
  }
  std::string json;
  EXPECT_TRUE(append_json_string(std::string_view("\0\x1f\"\\/", 5), json));
  EXPECT_EQ(json, R"("\u0000\u001f\"\\/")");
}

}  // namespace
}  // namespace flagstone::config
