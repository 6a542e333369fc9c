#include "config/yaml_tree.h"

#include <gtest/gtest.h>

namespace flagstone::config {
namespace {

std::vector<std::string> problems_of(std::string_view text) {
  ProblemList problems;
  parse_yaml(text, "f.yaml", problems);
  std::vector<std::string> lines;
  for (const Problem& problem : problems) {
    lines.push_back(to_string(problem));
  }
  return lines;
}

TEST(YamlTree, KnowsItsLines) {
  ProblemList problems;
  const YamlNode root = parse_yaml("a: 1\nb:\n  - x\n  - \"2\"\nc:\nd: null\n", "f", problems);
  ASSERT_TRUE(problems.empty());
  ASSERT_EQ(root.kind, YamlNode::Kind::kMap);
  ASSERT_EQ(root.entries.size(), 4U);
  EXPECT_EQ(root.find("a")->text, "1");
  EXPECT_FALSE(root.find("a")->quoted);
  const YamlNode& list = *root.find("b");
  ASSERT_EQ(list.items.size(), 2U);
  EXPECT_EQ(list.items[0].line, 3U);
  EXPECT_EQ(list.items[1].line, 4U);
  EXPECT_TRUE(list.items[1].quoted);
  EXPECT_EQ(root.entries[2].line, 5U);
  EXPECT_EQ(root.find("c")->kind, YamlNode::Kind::kNull);
  EXPECT_EQ(root.find("d")->kind, YamlNode::Kind::kNull);
  EXPECT_EQ(root.find("e"), nullptr);
}

TEST(YamlTree, ReadsJson) {
  ProblemList problems;
  const YamlNode root =
      parse_yaml("{\"a\":{\"b\":[1,true,null,\"x\\n\\u00e9\\/\"]},\n\t\"c\": {}}", "f", problems);
  ASSERT_TRUE(problems.empty());
  const YamlNode& list = *root.find("a")->find("b");
  ASSERT_EQ(list.items.size(), 4U);
  EXPECT_EQ(list.items[2].kind, YamlNode::Kind::kNull);
  EXPECT_EQ(list.items[3].text, "x\n\u00e9/");
  EXPECT_EQ(root.find("c")->kind, YamlNode::Kind::kMap);
}

TEST(YamlTree, AnEmptyTextIsNothing) {
  for (const std::string_view text : {"", "\n\n", "# only a comment\n", "---\n"}) {
    ProblemList problems;
    EXPECT_EQ(parse_yaml(text, "f", problems).kind, YamlNode::Kind::kNull) << text;
    EXPECT_TRUE(problems.empty()) << text;
  }
}

TEST(YamlTree, RefusesWithTheLine) {
  struct Row {
    std::string_view text;
    std::vector<std::string> problems;
  };
  for (const Row& row : {
           Row{"a: &x 1\nb: *x\n",
               {"f.yaml:2: aliases (`*name`) are not allowed, write the value out"}},
           Row{"a: 1\nb: 2\na: 3\nb: 4\n",
               {"f.yaml:3: duplicate key `a`, it stands in line 1 already",
                "f.yaml:4: duplicate key `b`, it stands in line 2 already"}},
           Row{"x: {a: 1,\n a: 2}\n", {"f.yaml:2: duplicate key `a`, it stands in line 1 already"}},
           Row{"? [a, b]\n: 1\n", {"f.yaml:1: a key must be plain text"}},
           Row{"a: 1\n---\nb: 2\n",
               {"f.yaml:3: a second document begins here, there must be only one"}},
       }) {
    EXPECT_EQ(problems_of(row.text), row.problems) << row.text;
  }
}

TEST(YamlTree, RefusesWhatIsNotYaml) {
  for (const std::string_view text : {"a: [1, 2\n", "a: \"x\n", "a: 'x\nb: 2\n", "{\"a\": 1",
                                      "a:\n\t- 1\n", "a: b: c\n", "a: *nothing\n"}) {
    const std::vector<std::string> problems = problems_of(text);
    ASSERT_EQ(problems.size(), 1U) << text;
    EXPECT_TRUE(problems[0].starts_with("f.yaml:")) << problems[0];
  }
}

TEST(YamlTree, KeepsTextAsItIsWritten) {
  ProblemList problems;
  const YamlNode root = parse_yaml("a: |\n  one\n  two\nb: >-\n  one\n  two", "f", problems);
  ASSERT_TRUE(problems.empty());
  EXPECT_EQ(root.find("a")->text, "one\ntwo\n");
  EXPECT_TRUE(root.find("a")->quoted);
  EXPECT_EQ(root.find("b")->text, "one two");
}

TEST(YamlTree, RefusesDepthAndSize) {
  EXPECT_EQ(problems_of(std::string(100'000, '[')).size(), 1U);
  EXPECT_EQ(problems_of(std::string(kYamlBytesMax + 1, ' ')),
            std::vector<std::string>{"f.yaml: is larger than 1 MiB"});
  EXPECT_TRUE(problems_of("#" + std::string(kYamlBytesMax - 1, ' ')).empty());
}

}  // namespace
}  // namespace flagstone::config
