#include "evaluation/dialects/launchdarkly/wire/data_scanner.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace flagstone::evaluation::launchdarkly {
namespace {

using Strings = std::vector<std::string>;

// "flag a 3 {…}", "segment s 1 gone"
std::string line_of(const Record& record) {
  return (record.id.kind == kFlagKind ? "flag " : "segment ") + record.id.key + " " +
         std::to_string(record.version) + " " + (record.tombstone ? "gone" : record.raw);
}

Strings scan(DataShape shape, std::string_view text, std::size_t piece) {
  DataScanner scanner(shape, 1 << 20, 1 << 20);
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (auto fed = scanner.feed(text.substr(at, piece)); !fed) return {to_string(fed.error())};
  }
  auto scanned = scanner.finish();
  if (!scanned) return {to_string(scanned.error())};
  EXPECT_EQ(scanned->update.kind, UpdateKind::kFull);
  Strings lines;
  for (const Record& record : scanned->update.records) lines.push_back(line_of(record));
  if (!scanned->is_everything) lines.emplace_back("not everything");
  return lines;
}

struct Row {
  std::string what;
  DataShape shape;
  std::string text;
  Strings lines;
};

TEST(DataScannerTest, CutsWhateverThePieces) {
  using enum DataShape;
  const std::vector<Row> rows = {
      {"both kinds",
       kPlain,
       R"({"flags":{"a":{"key":"a","version":3,"x":[{}]}},"segments":{"s":{"version":1}}})",
       {R"(flag a 3 {"key":"a","version":3,"x":[{}]})", R"(segment s 1 {"version":1})"}},
      {"in the other order, and others",
       kPlain,
       R"({"$x":1,"segments":{"s":{}},"configurationOverrides":{"a":{}},"flags":{}})",
       {"segment s 0 {}"}},
      {"byte for byte",
       kPlain,
       "{ \"flags\" : { \"\\u0061/b\" : { \"version\" : 2 ,\n\"u\\n\": 1.0e2 } } }",
       {"flag a/b 2 { \"version\" : 2 ,\n\"u\\n\": 1.0e2 }"}},
      {"a deleted one",
       kPlain,
       R"({"flags":{"a":{"version":9,"deleted":true},"b":{"deleted":false}}})",
       {"flag a 9 gone", R"(flag b 0 {"deleted":false})"}},
      {"an escaped member",
       kPlain,
       R"({"flags":{"a":{"v\u0065rsion":4}}})",
       {R"(flag a 4 {"v\u0065rsion":4})"}},
      {"versions that are none",
       kPlain,
       R"({"flags":{"a":{"version":"3"},"b":{"version":1.5},"c":{"version":99999999999999999999}}})",
       {R"(flag a 0 {"version":"3"})", R"(flag b 0 {"version":1.5})",
        R"(flag c 0 {"version":99999999999999999999})"}},
      {"a version inside is none",
       kPlain,
       R"({"flags":{"a":{"x":{"version":5}}}})",
       {R"(flag a 0 {"x":{"version":5}})"}},
      {"records of other types",
       kPlain,
       R"({"flags":{"a":5,"b":null,"c":"x","d":[1]}})",
       {"flag a 0 5", "flag b 0 null", "flag c 0 \"x\"", "flag d 0 [1]"}},
      {"null is no section",
       kPlain,
       R"({"flags":null,"segments":{}})",
       {"line 1, column 10 (byte 9): \"flags\" is not an object"}},
      {"the last section wins",
       kPlain,
       R"({"flags":{"a":{}},"segments":{"s":{}},"flags":{"b":{}}})",
       {"segment s 0 {}", "flag b 0 {}"}},
      {"a put",
       kPut,
       R"({"path":"/","data":{"flags":{"a":{"version":1}},"segments":{}}})",
       {R"(flag a 1 {"version":1})"}},
      {"the other way round",
       kPut,
       R"({"data":{"segments":{},"flags":{"a":{}}},"path":"/"})",
       {"flag a 0 {}"}},
      {"no path, and others", kPut, R"({"x":{"flags":1},"data":{"flags":{}}})", {}},
      {"an empty path", kPut, R"({"path":"","data":{"flags":{}}})", {}},
      {"another path", kPut, R"({"path":"/flags","data":{"flags":{}}})", {"not everything"}},
      {"no object", kPlain, "[]", {"line 1, column 2 (byte 1): not a JSON object"}},
      {"no sections", kPlain, R"({"error":"x"})", {"there are neither \"flags\" nor \"segments\""}},
      {"no data", kPut, R"({"path":"/"})", {"there is no \"data\""}},
      {"sections of another type",
       kPlain,
       R"({"flags":[]})",
       {"line 1, column 11 (byte 10): \"flags\" is not an object"}},
      {"data of another type",
       kPut,
       R"({"data":true})",
       {"line 1, column 9 (byte 8): \"data\" is not an object"}},
      {"data twice",
       kPut,
       R"({"data":{"flags":{}},"data":{}})",
       {"line 1, column 30 (byte 29): \"data\" appears twice"}},
  };
  for (const Row& row : rows) {
    for (std::size_t piece = 1; piece <= row.text.size(); ++piece) {
      EXPECT_EQ(scan(row.shape, row.text, piece), row.lines) << row.what << ", pieces of " << piece;
    }
  }
}

TEST(DataScannerTest, WhatIsCutAnywhereIsNoData) {
  const std::string text = R"({"path":"/","data":{"flags":{"a":{"version":1}},"segments":{}}})";
  for (std::size_t size = 0; size < text.size(); ++size) {
    const Strings lines = scan(DataShape::kPut, text.substr(0, size), 7);
    ASSERT_EQ(lines.size(), 1U) << size;
    EXPECT_FALSE(lines[0].starts_with("flag")) << lines[0];
  }
}

TEST(DataScannerTest, RecordsGoOutBeforeTheEnd) {
  DataScanner scanner(DataShape::kPlain, 1 << 20, 1 << 20);
  ASSERT_TRUE(scanner.feed(R"({"flags":{"a":{"version":1},"b":{"ver)"));
  const std::size_t held = scanner.held_bytes();
  std::vector<Record> drained = scanner.drain();
  ASSERT_EQ(drained.size(), 1U);
  EXPECT_EQ(line_of(drained[0]), R"(flag a 1 {"version":1})");
  EXPECT_LT(scanner.held_bytes(), held);
  ASSERT_TRUE(scanner.feed(R"(sion":2}},"segments":{}})"));
  auto scanned = scanner.finish();
  ASSERT_TRUE(scanned);
  ASSERT_EQ(scanned->update.records.size(), 1U);
  EXPECT_EQ(line_of(scanned->update.records[0]), R"(flag b 2 {"version":2})");

  // What a second section would replace has gone.
  DataScanner again(DataShape::kPlain, 1 << 20, 1 << 20);
  ASSERT_TRUE(again.feed(R"({"flags":{"a":{}},)"));
  again.drain();
  const auto fed = again.feed(R"("flags":{}})");
  ASSERT_FALSE(fed);
  EXPECT_TRUE(fed.error().message.contains("appears twice"));
}

TEST(DataScannerTest, KnowsTheLines) {
  DataScanner scanner(DataShape::kPlain, 1 << 20, 1 << 20);
  ASSERT_TRUE(scanner.feed("{\"flags\":{\n\"a\":{\n},\n\"b\":\n{}}}"));
  auto scanned = scanner.finish();
  ASSERT_TRUE(scanned);
  EXPECT_EQ(scanned->record_lines, (std::vector<std::size_t>{2, 5}));
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly
