#include "evaluation/dialects/launchdarkly/wire/item_change.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace flagstone::evaluation::launchdarkly {
namespace {

using Reader = std::expected<std::optional<Record>, std::string> (*)(std::string_view);

std::string said(Reader read, std::string_view text) {
  const auto record = read(text);
  if (!record) return "error: " + record.error();
  if (!*record) return "nothing";
  return ((*record)->id.kind == kFlagKind ? "flag " : "segment ") + (*record)->id.key + " " +
         std::to_string((*record)->version) + " " +
         ((*record)->tombstone ? "gone" : (*record)->raw);
}

struct Row {
  Reader read;
  std::string text;
  std::string said;
};

TEST(ItemChangeTest, ReadsPatchesAndDeletes) {
  const std::vector<Row> rows = {
      {read_patch, R"({"path":"/flags/a","data":{"version":2, "x":1}})",
       R"(flag a 2 {"version":2, "x":1})"},
      {read_patch, R"( {"data":{"version":2},"x":[],"path":"/segments/s"} )",
       R"(segment s 2 {"version":2})"},
      {read_patch, R"({"path":"/flags/a/b~1c%20","data":{}})", "flag a/b~1c%20 0 {}"},
      {read_patch, R"({"p\u0061th":"/flags/\u00e9","data":{}})", "flag é 0 {}"},
      {read_patch, R"({"path":"/flags/a","data":{"version":7,"deleted":true}})", "flag a 7 gone"},
      {read_patch, R"({"path":"/flags/a","path":"/flags/b","data":1,"data":{}})", "flag b 0 {}"},
      {read_patch, R"({"path":"/flags/","data":{}})", "flag  0 {}"},
      {read_patch, R"({"path":"/metrics/a","data":{}})", "nothing"},
      {read_patch, R"({"path":"/flags","data":{}})", "nothing"},
      {read_patch, R"({"path":"flags/a","data":{}})", "nothing"},
      {read_patch, R"({"path":"/","data":{"flags":{}}})", "nothing"},
      {read_patch, R"({"path":"/flags/a"})", "error: there is no \"data\""},
      {read_patch, R"({"path":"/flags/a","data":null})", "error: \"data\" is not an object"},
      {read_patch, R"({"path":5,"data":{}})", "error: there is no \"path\""},
      {read_patch, R"({"data":{}})", "error: there is no \"path\""},
      {read_patch, R"([])", "error: not a JSON object"},
      {read_patch, "", "error: not a JSON object"},
      {read_patch, R"({"path":"/flags/a","data":{})", "error: the text ends too early (byte 28)"},
      {read_delete, R"({"path":"/flags/a","version":7})", "flag a 7 gone"},
      {read_delete, R"({"version":7 , "path":"/segments/s"})", "segment s 7 gone"},
      {read_delete, R"({"path":"/x/a","version":7})", "nothing"},
      {read_delete, R"({"path":"/flags/a"})", "error: there is no \"version\""},
      {read_delete, R"({"path":"/flags/a","version":"7"})", "error: there is no \"version\""},
      {read_delete, R"({"path":"/flags/a","version":1e3})", "error: there is no \"version\""},
  };
  for (const Row& row : rows) EXPECT_EQ(said(row.read, row.text), row.said) << row.text;
}

// How deep a flag may be is its compiler's business: one that is too deep harms itself alone.
TEST(ItemChangeTest, ADeepFlagIsCutAllTheSame) {
  const std::string deep =
      R"({"version":3,"x":)" + std::string(500, '[') + std::string(500, ']') + "}";
  EXPECT_EQ(said(read_patch, R"({"path":"/flags/a","data":)" + deep + "}"), "flag a 3 " + deep);
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly
