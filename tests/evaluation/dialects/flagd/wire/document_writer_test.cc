#include "evaluation/dialects/flagd/wire/document_writer.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace flagstone::evaluation::flagd {
namespace {

class Evaluators final : public EvaluatorTexts {
 public:
  // By name, or by "set/name".
  std::map<std::string, std::string> texts;

  std::string_view find(std::string_view set_id, std::string_view name) const override {
    auto found = texts.find(std::string(set_id) + "/" + std::string(name));
    if (found == texts.end()) found = texts.find(std::string(name));
    return found == texts.end() ? std::string_view() : found->second;
  }
};

// What the flag looks like in the document, without the document around it.
std::string written(const WrittenFlag& flag, const Evaluators& evaluators = {}) {
  std::string out;
  DocumentWriter writer(evaluators, SIZE_MAX, out);
  EXPECT_TRUE(writer.add(flag));
  writer.finish();
  const std::string before = R"({"flags":{"k":)";
  EXPECT_TRUE(out.starts_with(before) && out.ends_with("}}")) << out;
  return out.substr(before.size(), out.size() - before.size() - 2);
}

TEST(DocumentWriter, EmptyAndSeveral) {
  std::string out = "before";
  const Evaluators none;
  DocumentWriter empty(none, SIZE_MAX, out);
  empty.finish();
  EXPECT_EQ(out, R"(before{"flags":{}})");
  out.clear();
  DocumentWriter two(none, SIZE_MAX, out);
  EXPECT_TRUE(
      two.add({.key = "a\"", .set_id = {}, .raw = "{}", .source = "s\"", .document_metadata = {}}));
  EXPECT_TRUE(two.add({.key = "b",
                       .set_id = {},
                       .raw = R"({"state":"ENABLED"})",
                       .source = "s",
                       .document_metadata = {}}));
  two.finish();
  EXPECT_EQ(out, R"({"flags":{"a\"":{"source":"s\""},"b":{"state":"ENABLED","source":"s"}}})");
}

TEST(DocumentWriter, WhatAFlagBecomes) {
  struct Case {
    const char* what;
    const char* raw;
    const char* set_id;
    const char* document_metadata;
    const char* expected;
  };
  const Case cases[] = {
      {"spelling and unknown members stay",
       R"({ "x" : 1.0, "y":"\u00e9" , "variants": {"a": 1e2}})", "", "",
       R"({"x":1.0,"y":"\u00e9","variants":{"a": 1e2},"source":"s"})"},
      {"an earlier source goes", R"({"source":"hub","state":"ENABLED"})", "", "",
       R"({"state":"ENABLED","source":"s"})"},
      {"own metadata alone stays as written", R"({"metadata":{"b": null,"a":1}})", "", "",
       R"({"metadata":{"b": null,"a":1},"source":"s"})"},
      {"the document's is copied", "{}", "", R"({"team":"x","v":1})",
       R"({"metadata":{"team":"x","v":1},"source":"s"})"},
      {"the flag's wins", R"({"metadata":{"v":2,"w":3}})", "", R"({"team":"x","v":1})",
       R"({"metadata":{"team":"x","v":2,"w":3},"source":"s"})"},
      {"also when spelled otherwise", R"({"metadata":{"\u0076":2}})", "", R"({"v":1})",
       R"({"metadata":{"\u0076":2},"source":"s"})"},
      {"null says nothing", R"({"metadata":{"v":null}})", "", R"({"v":1,"n":null})",
       R"({"metadata":{"v":1},"source":"s"})"},
      {"of duplicates the last counts", R"({"metadata":{"v":1,"v":null},"metadata":{"w":1,"w":2}})",
       "", R"({"x":1})", R"({"metadata":{"w":2,"x":1},"source":"s"})"},
      {"a pin's set is told", R"({"metadata":{"flagstone.pinned":true}})", "web", "",
       R"({"metadata":{"flagstone.pinned":true,"flagSetId":"web"},"source":"s"})"},
      {"the document's set is told once", "{}", "web", R"({"flagSetId":"web"})",
       R"({"metadata":{"flagSetId":"web"},"source":"s"})"},
      {"null is a flag without anything", "null", "", R"({"a":1})",
       R"({"metadata":{"a":1},"source":"s"})"},
      {"a flag that is none is served as it is", "[1]", "", R"({"a":1})", "[1]"},
      {"metadata that is none likewise", R"({"metadata":7})", "", R"({"a":1})",
       R"({"metadata":7,"source":"s"})"},
      {"null metadata is none", R"({"metadata":null})", "", "", R"({"source":"s"})"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(written({.key = "k",
                       .set_id = c.set_id,
                       .raw = c.raw,
                       .source = "s",
                       .document_metadata = c.document_metadata}),
              c.expected)
        << c.what;
  }
}

TEST(DocumentWriter, ReferencesBecomeWhatTheyMean) {
  Evaluators evaluators;
  evaluators.texts = {{"mail", R"({"ends_with":[{"var":"email"},"@x"]})"},
                      {"web/mail", R"({"var":"web"})"},
                      {"outer", R"({"!":[{"$ref":"mail"}]})"},
                      {"circle", R"({"!":[{"$ref":"circle"}]})"}};
  struct Case {
    const char* what;
    const char* rule;
    const char* set_id;
    const char* expected;
  };
  const Case cases[] = {
      {"none", R"({"var":"x"})", "", R"({"var":"x"})"},
      {"whole", R"({"$ref":"mail"})", "", R"({"ends_with":[{"var":"email"},"@x"]})"},
      {"inside, with spaces", R"({"if":[ { "$ref" : "mail" } ,1,2]})", "",
       R"({"if":[ {"ends_with":[{"var":"email"},"@x"]} ,1,2]})"},
      {"of the flag's own set", R"({"$ref":"mail"})", "web", R"({"var":"web"})"},
      {"twice and nested", R"([{"$ref":"outer"},{"$ref":"mail"}])", "web",
       R"([{"!":[{"var":"web"}]},{"var":"web"}])"},
      {"escaped", R"({"\u0024ref":"m\u0061il"})", "web", R"({"var":"web"})"},
      {"unknown", R"({"$ref":"x"})", "", R"({"$ref":"x"})"},
      {"a circle ends", R"({"$ref":"circle"})", "", R"({"!":[{"$ref":"circle"}]})"},
      {"not a reference: text, two members, no name",
       R"(["{\"$ref\":\"mail\"}",{"$ref":"mail",)"
       R"("a":1},{"$ref":1},"$ref"])",
       "", R"(["{\"$ref\":\"mail\"}",{"$ref":"mail","a":1},{"$ref":1},"$ref"])"},
  };
  for (const Case& c : cases) {
    const std::string raw = R"({"targeting":)" + std::string(c.rule) + "}";
    EXPECT_EQ(written({.key = "k",
                       .set_id = c.set_id,
                       .raw = raw,
                       .source = "s",
                       .document_metadata = R"({"flagSetId":"web"})"},
                      evaluators),
              R"({"targeting":)" + std::string(c.expected) +
                  R"(,"metadata":{"flagSetId":"web"},"source":"s"})")
        << c.what;
  }
}

TEST(DocumentWriter, ReferencesOutsideOfTargetingAreValues) {
  Evaluators evaluators;
  evaluators.texts = {{"mail", "{}"}};
  EXPECT_EQ(written({.key = "k",
                     .set_id = {},
                     .raw = R"({"variants":{"a":{"$ref":"mail"}}})",
                     .source = "s",
                     .document_metadata = {}},
                    evaluators),
            R"({"variants":{"a":{"$ref":"mail"}},"source":"s"})");
}

// Each evaluator names the one before twice: 2^40 copies of the first.
TEST(DocumentWriter, EvaluatorsThatExplodeStayReferences) {
  Evaluators evaluators;
  evaluators.texts["e0"] = R"({"var":"x"})";
  for (int i = 1; i <= 40; ++i) {
    const std::string reference = R"({"$ref":"e)" + std::to_string(i - 1) + "\"}";
    evaluators.texts["e" + std::to_string(i)] = R"({"and":[)" + reference + "," + reference + "]}";
  }
  const std::string flag = written({.key = "k",
                                    .set_id = {},
                                    .raw = R"({"targeting":{"$ref":"e40"}})",
                                    .source = "s",
                                    .document_metadata = {}},
                                   evaluators);
  EXPECT_LT(flag.size(), DocumentWriter::kRuleBytesMax + 100);
  EXPECT_NE(flag.find(R"({"$ref":"e)"), std::string::npos);
}

// As many evaluators that all name each other: every order of them would be a way through.
TEST(DocumentWriter, EvaluatorsThatAllNameEachOtherEnd) {
  Evaluators evaluators;
  std::string references;
  for (int i = 0; i < 40; ++i) {
    references += (i == 0 ? "" : ",") + (R"({"$ref":"e)" + std::to_string(i)) + "\"}";
  }
  for (int i = 0; i < 40; ++i) {
    evaluators.texts["e" + std::to_string(i)] = R"({"and":[)" + references + "]}";
  }
  std::string out;
  DocumentWriter writer(evaluators, 64 * DocumentWriter::kRuleBytesMax, out);
  EXPECT_TRUE(writer.add({.key = "k",
                          .set_id = {},
                          .raw = R"({"targeting":{"$ref":"e0"}})",
                          .source = "s",
                          .document_metadata = {}}));
}

TEST(DocumentWriter, TellsWhenTheDocumentIsTooLarge) {
  const Evaluators none;
  std::string out;
  DocumentWriter writer(none, 40, out);
  const WrittenFlag flag{
      .key = "k", .set_id = {}, .raw = "{}", .source = "s", .document_metadata = {}};
  EXPECT_TRUE(writer.add(flag));
  EXPECT_FALSE(writer.add(flag));
}

}  // namespace
}  // namespace flagstone::evaluation::flagd
