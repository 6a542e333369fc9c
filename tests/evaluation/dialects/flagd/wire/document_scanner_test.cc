#include "evaluation/dialects/flagd/wire/document_scanner.h"

#include <gtest/gtest.h>

#include <vector>

#include "evaluation/dialect.h"
#include "evaluation/dialects/flagd/flagd_dialect.h"
#include "evaluation/dialects/flagd/wire/decode_document.h"

namespace flagstone::evaluation::flagd {
namespace {

constexpr std::size_t kMax = 1 << 20;

std::expected<ScannedDocument, DocumentError> scan(std::string_view text,
                                                   std::size_t cut = std::string_view::npos) {
  DocumentScanner scanner(kMax);
  // Copies of their own, so that reading past a chunk is seen by the sanitizers.
  for (const std::string& piece :
       {std::string(text.substr(0, cut)), std::string(cut < text.size() ? text.substr(cut) : "")}) {
    if (auto fed = scanner.feed(piece); !fed) return std::unexpected(fed.error());
  }
  return scanner.finish();
}

// Everything a document holds, on a few lines.
std::string dump(const std::expected<ScannedDocument, DocumentError>& document) {
  if (!document) return "! " + to_string(document.error());
  std::string out;
  for (std::size_t i = 0; i < document->update.records.size(); ++i) {
    const Record& record = document->update.records[i];
    out += std::to_string(static_cast<int>(record.id.kind)) + " " + record.id.set_id + "/" +
           record.id.key + " @" + std::to_string(document->record_lines[i]) + " " + record.raw +
           "\n";
  }
  if (document->update.has_metadata) {
    out += "metadata @" + std::to_string(document->metadata_line) + " " +
           document->update.metadata + "\n";
  }
  return out;
}

struct Case {
  std::string_view text;
  std::string_view dump;
};

constexpr Case kCases[] = {
    {R"({"flags":{}})", ""},
    {R"( { "flags" : { "a" : {"x": [1, {"y":"}"}]} , "b":5,"c":"s\"","d":null,"e":-1e5 } } )",
     "0 /a @1 {\"x\": [1, {\"y\":\"}\"}]}\n0 /b @1 5\n0 /c @1 \"s\\\"\"\n0 /d @1 null\n0 /e @1 "
     "-1e5\n"},
    {"{\n\"$evaluators\":{\n\"e\":{\"a\":1}},\n\"flags\":\n{\"f\":\n{}}}",
     "1 /e @3 {\"a\":1}\n0 /f @6 {}\n"},
    // Keys are unescaped; the same key twice comes twice, and the last wins where it is put.
    {R"({"flags":{"\u0061\"b":{},"a\"b":{"n":2}}})", "0 /a\"b @1 {}\n0 /a\"b @1 {\"n\":2}\n"},
    // The set id: the flag's own, else the document's, wherever that stands.
    {R"({"flags":{"a":{},"b":{"metadata":{"flagSetId":"own"}},"c":{"metadata":{"flagSetId":""}},
         "d":{"metadata":{"flagSetId":7}},"e":{"x":{"metadata":{"flagSetId":"no"}}},
         "f":{"metadata":{"x":{"flagSetId":"no"}}},"g":{"metadata":"flagSetId"}},
         "metadata":{"flagSetId":"doc"}})",
     "0 doc/a @1 {}\n"
     "0 own/b @1 {\"metadata\":{\"flagSetId\":\"own\"}}\n"
     "0 doc/c @1 {\"metadata\":{\"flagSetId\":\"\"}}\n"
     "0 doc/d @2 {\"metadata\":{\"flagSetId\":7}}\n"
     "0 doc/e @2 {\"x\":{\"metadata\":{\"flagSetId\":\"no\"}}}\n"
     "0 doc/f @3 {\"metadata\":{\"x\":{\"flagSetId\":\"no\"}}}\n"
     "0 doc/g @3 {\"metadata\":\"flagSetId\"}\n"
     "metadata @4 {\"flagSetId\":\"doc\"}\n"},
    {R"({"flags":{"a":{"metadata":{"flagSetId":"1","flagSetId":"\u0032"}},
"b":{"metadata":{"flagSetId":"1"},"metadata":{}}}})",
     "0 2/a @1 {\"metadata\":{\"flagSetId\":\"1\",\"flagSetId\":\"\\u0032\"}}\n"
     "0 /b @2 {\"metadata\":{\"flagSetId\":\"1\"},\"metadata\":{}}\n"},
    // Flags as an array.
    {R"({"flags":[{"key":"a","x":{"key":"no"}},{"metadata":{"flagSetId":"s","key":"no"},"key":"b"},
{"key":"x","key":"c"}]})",
     "0 /a @1 {\"key\":\"a\",\"x\":{\"key\":\"no\"}}\n"
     "0 s/b @1 {\"metadata\":{\"flagSetId\":\"s\",\"key\":\"no\"},\"key\":\"b\"}\n"
     "0 /c @2 {\"key\":\"x\",\"key\":\"c\"}\n"},
    // Names with escapes in them.
    {R"({"flags":[{"k\u0065y":"a","met\u0061data":{"flagSetId":1,"flagSet\u0049d":"s"}},
{"key":"no","k\u0065y":"b","metadata":{"flagSetId":"no"},"met\u0061data":[]}]})",
     "0 s/a @1 "
     "{\"k\\u0065y\":\"a\",\"met\\u0061data\":{\"flagSetId\":1,\"flagSet\\u0049d\":\"s\"}}\n"
     "0 /b @2 {\"key\":\"no\",\"k\\u0065y\":\"b\",\"metadata\":{\"flagSetId\":\"no\"},"
     "\"met\\u0061data\":[]}\n"},
    // Of a member that comes twice the last wins.
    {R"({"flags":{"a":{}},"$evaluators":{"e":{}},"flags":{"b":{}},"metadata":{"flagSetId":"x"},"metadata":null})",
     "1 /e @1 {}\n0 /b @1 {}\n"},
    {R"({"$schema":"s","n":[{"flags":{"no":{}}},1.5e3,null],"flags":{"a":{}},"$evaluators":null})",
     "0 /a @1 {}\n"},
    {R"({})", "! the document has no \"flags\""},
    {R"({"flags":{"a":{}},"flags":null})",
     "! line 1, column 27 (byte 26): \"flags\" is neither an object nor an array"},
    {R"([])", "! line 1, column 2 (byte 1): the document is not an object"},
    {R"("x")", "! line 1, column 2 (byte 1): the document is not an object"},
    {"{\"flags\":\n [5]}",
     "! line 2, column 3 (byte 12): an element of \"flags\" is not an object"},
    {R"({"flags":[{"x":1}]})",
     "! line 1, column 18 (byte 17): an element of \"flags\" has no \"key\""},
    {R"({"flags":[{"key":1}]})",
     "! line 1, column 20 (byte 19): an element of \"flags\" has no \"key\""},
    {R"({"flags":{},"$evaluators":[]})",
     "! line 1, column 28 (byte 27): \"$evaluators\" is not an object"},
    {R"({"flags":{},"metadata":5})",
     "! line 1, column 24 (byte 23): \"metadata\" is not an object"},
    {R"({"flags":{"a":{"b":tru}}})", "! line 1, column 23 (byte 22): expected a value"},
    {R"({"flags":{},"x":[1,]})", "! line 1, column 20 (byte 19): expected a value"},
    {"{\"flags\":{}}\n\n}", "! line 3, column 1 (byte 14): unexpected text after the end"},
    {"\xEF\xBB\xBF{\"flags\":{}}", "! line 1, column 1 (byte 0): byte order mark"},
    {"{\"flags\":{\"a\":{\"b\":\"\xff\"}}}", "! line 1, column 21 (byte 20): invalid UTF-8"},
    {"{\"flags\":{\"a\":{\"b\":1}", "! line 1, column 22 (byte 21): the text ends too early"},
    {"", "! line 1, column 1 (byte 0): the text ends too early"},
};

TEST(DocumentScanner, CutsRecords) {
  for (const Case& one : kCases) EXPECT_EQ(dump(scan(one.text)), one.dump) << one.text;
}

TEST(DocumentScanner, ChunksMakeNoDifference) {
  for (const Case& one : kCases) {
    for (std::size_t cut = 0; cut <= one.text.size(); ++cut) {
      ASSERT_EQ(dump(scan(one.text, cut)), one.dump) << one.text << " cut at " << cut;
    }
    DocumentScanner scanner(kMax);
    std::expected<void, DocumentError> fed;
    for (std::size_t i = 0; i < one.text.size() && fed; ++i) {
      const std::string byte(one.text.substr(i, 1));
      fed = scanner.feed(byte);
    }
    EXPECT_EQ(dump(scanner.finish()), one.dump) << one.text << " byte by byte";
  }
}

TEST(DocumentScanner, RefusesWhatIsTooLarge) {
  DocumentScanner scanner(12);
  EXPECT_TRUE(scanner.feed(R"({"flags":{)"));
  EXPECT_TRUE(scanner.feed("}}"));
  const auto more = scanner.feed(" ");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().message, "the document is larger than 12 bytes");
  EXPECT_FALSE(scanner.finish());
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(DocumentScanner, DeepRecordsAreCutAndOtherDepthIsRefused) {
  const auto document =
      scan(R"({"flags":{"a":)" + nested(100'000) + R"(,"b":{}},"x":)" + nested(127) + "}");
  ASSERT_TRUE(document) << to_string(document.error());
  ASSERT_EQ(document->update.records.size(), 2U);
  EXPECT_EQ(document->update.records[0].raw, nested(100'000));
  const auto list =
      scan(R"({"flags":[{"x":)" + nested(1000) + R"(,"metadata":{"flagSetId":"s"},"key":"a"}]})");
  ASSERT_TRUE(list) << to_string(list.error());
  EXPECT_EQ(list->update.records[0].id.key, "a");
  EXPECT_EQ(list->update.records[0].id.set_id, "s");
  EXPECT_EQ(dump(scan(R"({"flags":{},"x":)" + nested(128) + "}")),
            "! line 1, column 145 (byte 144): nested deeper than 128 levels");
  EXPECT_FALSE(scan(R"({"metadata":{"a":)" + nested(127) + R"(},"flags":{}})"));
  EXPECT_FALSE(scan(std::string(100'000, '[')));
}

TEST(DecodeDocument, ChecksEveryRecordWithItsLine) {
  const auto dialect = make_flagd_dialect();
  const auto problems = check_document(
      "{\n\"flags\":{\n"
      "\"good\":{\"variants\":{\"a\":1},\"defaultVariant\":\"a\"},\n"
      "\"bad\":{\"variants\":{\"a\":1},\"defaultVariant\":\"b\"},\n"
      "\"worse\":{\"state\":1}},\n"
      "\"$evaluators\":{\n\"e\":5}}",
      DocumentFormat::kJson, *dialect);
  ASSERT_EQ(problems.size(), 3U);
  EXPECT_EQ(problems[0].line, 4U);
  EXPECT_EQ(problems[0].message, "flag \"bad\": defaultVariant \"b\" names no variant");
  EXPECT_EQ(problems[1].line, 5U);
  EXPECT_EQ(problems[1].message, "flag \"worse\": state is not a string");
  EXPECT_EQ(problems[2].line, 7U);
  EXPECT_EQ(problems[2].message, "evaluator \"e\": the evaluator is not an object");
  const auto broken = check_document("{\n\"flags\": }", DocumentFormat::kJson, *dialect);
  ASSERT_EQ(broken.size(), 1U);
  EXPECT_EQ(broken[0].line, 2U);
  EXPECT_EQ(broken[0].message, "expected a value (column 10)");
}

TEST(DecodeDocument, KnowsFormats) {
  EXPECT_EQ(format_of_path("/a/b.JSON"), DocumentFormat::kJson);
  EXPECT_EQ(format_of_path("b.yml"), DocumentFormat::kYaml);
  EXPECT_EQ(format_of_path("b.yaml"), DocumentFormat::kYaml);
  EXPECT_EQ(format_of_path("yaml"), std::nullopt);
  EXPECT_EQ(format_of_content_type("application/x-yaml; charset=utf-8"), DocumentFormat::kYaml);
  EXPECT_EQ(format_of_content_type("application/json"), DocumentFormat::kJson);
  EXPECT_EQ(format_of_content_type(""), DocumentFormat::kJson);
}

}  // namespace
}  // namespace flagstone::evaluation::flagd
