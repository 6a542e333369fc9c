#include "evaluation/dialects/launchdarkly/wire/sdk_messages.h"

#include <gtest/gtest.h>

#include "evaluation/dialects/launchdarkly/wire/document_writer.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

TEST(LaunchDarklySdkMessages, LineBreaksInTexts) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"{}", "{}"},
      {"{\n}", "{\ndata: }"},
      {"{\r}", "{\ndata: }"},
      {"{\r\n}", "{\ndata: }"},
      {"{\n\r}", "{\ndata: \ndata: }"},
      {"\n{}\n", "\ndata: {}\ndata: "},
      {"", ""},
  };
  for (const auto& [json, expected] : cases) {
    std::string out;
    append_event_data(out, json);
    EXPECT_EQ(out, expected);
  }
}

TEST(LaunchDarklySdkMessages, KeysAreEscapedForJsonAlone) {
  const ServedObject object{.kind = kFlagKind, .key = "a/\"b\"\n~1", .version = 3, .raw = "{}"};
  std::string out;
  append_patch(out, StreamPaths::kAll, object);
  EXPECT_EQ(out, "event: patch\ndata: {\"path\":\"/flags/a/\\\"b\\\"\\n~1\",\"data\":{}}\n\n");
  out.clear();
  append_delete(out, StreamPaths::kFlagsOnly, object);
  EXPECT_EQ(out, "event: delete\ndata: {\"path\":\"/a/\\\"b\\\"\\n~1\",\"version\":3}\n\n");
  out.clear();
  append_put_object(out, Delivery::kPoll, object);
  EXPECT_EQ(out, R"(,{"event":"put-object","data":{"version":3,"kind":"flag","key":"a/\"b\"\n~1",)"
                 R"("object":{}}})");
}

TEST(LaunchDarklySdkMessages, Goodbye) {
  std::string out;
  append_goodbye(out, "stopping");
  EXPECT_EQ(out,
            "event: goodbye\ndata: {\"reason\":\"stopping\",\"silent\":true,\"catastrophe\":false}"
            "\n\n");
}

// Everything in each form, with flags and segments and without either.
TEST(LaunchDarklyDocumentWriter, Forms) {
  const TransferTarget target{.payload_id = "p", .state = "s", .version = 9};
  const struct {
    DocumentForm form;
    std::string_view full;
    std::string_view empty;
  } rows[] = {
      {DocumentForm::kPut,
       "event: put\ndata: {\"path\":\"/\",\"data\":{\"flags\":{\"a\":{},\"b\":[]},\"segments\":"
       "{\"c\":{}}}}\n\n",
       "event: put\ndata: {\"path\":\"/\",\"data\":{\"flags\":{},\"segments\":{}}}\n\n"},
      {DocumentForm::kFlagsPut, "event: put\ndata: {\"a\":{},\"b\":[]}\n\n",
       "event: put\ndata: {}\n\n"},
      {DocumentForm::kLatestAll, R"({"flags":{"a":{},"b":[]},"segments":{"c":{}}})",
       R"({"flags":{},"segments":{}})"},
      {DocumentForm::kFlags, R"({"a":{},"b":[]})", "{}"},
      {DocumentForm::kPolledTransfer,
       R"({"events":[{"event":"server-intent","data":{"payloads":[{"id":"p","target":9,)"
       R"("intentCode":"xfer-full","reason":"cant-catchup"}]}},)"
       R"({"event":"put-object","data":{"version":1,"kind":"flag","key":"a","object":{}}},)"
       R"({"event":"put-object","data":{"version":2,"kind":"flag","key":"b","object":[]}},)"
       R"({"event":"put-object","data":{"version":3,"kind":"segment","key":"c","object":{}}},)"
       R"({"event":"payload-transferred","data":{"state":"s","version":9}}]})",
       R"({"events":[{"event":"server-intent","data":{"payloads":[{"id":"p","target":9,)"
       R"("intentCode":"xfer-full","reason":"cant-catchup"}]}},)"
       R"({"event":"payload-transferred","data":{"state":"s","version":9}}]})"},
  };
  for (const auto& row : rows) {
    for (const bool full : {true, false}) {
      std::string out;
      DocumentWriter writer(row.form);
      writer.begin(out, target);
      if (full) {
        writer.add(out, {.kind = kFlagKind, .key = "a", .version = 1, .raw = "{}"});
        writer.add(out, {.kind = kFlagKind, .key = "b", .version = 2, .raw = "[]"});
        if (!is_flags_only(row.form)) {
          writer.add(out, {.kind = kSegmentKind, .key = "c", .version = 3, .raw = "{}"});
        }
      }
      writer.finish(out, target);
      EXPECT_EQ(out, full ? row.full : row.empty);
    }
  }
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly
