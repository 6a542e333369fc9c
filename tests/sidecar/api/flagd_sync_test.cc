#include "sidecar/api/flagd_sync.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <string>
#include <vector>

#include "evaluation/dialects/flagd/wire/flagd_sync_v1.pb.h"
#include "net/timer.h"
#include "sidecar/entity_tag.h"
#include "tests/evaluation/shared_files.h"
#include "tests/sidecar/api/flagd_bench.h"

namespace flagstone::sidecar {
namespace {

namespace sync = flagd_wire::sync_v1;

constexpr std::string_view kSync = "/flagd.sync.v1.FlagSyncService/SyncFlags";
constexpr std::string_view kFetch = "/flagd.sync.v1.FlagSyncService/FetchAllFlags";
constexpr std::string_view kMetadata = "/flagd.sync.v1.FlagSyncService/GetMetadata";
constexpr std::string_view kFlags = "/v1/flags";
constexpr std::string_view kEmpty = R"({"flags":{}})";

class SyncBench : public FlagdBench {
 public:
  explicit SyncBench(std::size_t sources = 1) : FlagdBench(sources) {}
  // After the settings are made.
  void begin() { serve<FlagdSync>(); }
};

// The document in a SyncFlagsResponse of protobuf.
std::string document_of(const std::string& message) {
  sync::SyncFlagsResponse response;
  EXPECT_TRUE(response.ParseFromString(message));
  return response.flag_configuration();
}

std::vector<std::string> documents(const FlagdBench::Record& record) {
  std::vector<std::string> found;
  for (const std::string& message : hear(record->all()).messages) {
    found.push_back(document_of(message));
  }
  return found;
}

std::string flags(const std::string& members, const std::string& more = "") {
  return R"({"flags":{)" + members + "}" + more + "}";
}

// What one_flag() is in the served document.
std::string served(std::string_view value, std::string_view source = "a.json",
                   std::string_view metadata = "") {
  return one_flag(value, (metadata.empty() ? "" : R"(,"metadata":)" + std::string(metadata)) +
                             R"(,"source":")" + std::string(source) + "\"");
}

TEST(FlagdSync, TheFirstMessageAndTheNewest) {
  SyncBench bench;
  bench.desk().settings.static_context = {{"region", "eu"}};
  bench.begin();
  bench.take(flags(R"("a":)" + one_flag("1.0")));
  auto answer = bench.open(kSync, {}, "", "proto");
  ASSERT_NE(answer.stream, nullptr);
  EXPECT_EQ(answer.content_type, "application/connect+proto");
  bench.take(flags(R"("a":)" + one_flag("2")));
  const Heard heard = hear(answer.stream->all());
  ASSERT_EQ(heard.messages.size(), 2u);
  sync::SyncFlagsResponse response;
  ASSERT_TRUE(response.ParseFromString(heard.messages[0]));
  EXPECT_EQ(response.flag_configuration(), flags(R"("a":)" + served("1.0")));
  ASSERT_TRUE(response.has_sync_context());
  EXPECT_EQ(response.sync_context().fields().at("region").string_value(), "eu");
  EXPECT_EQ(document_of(heard.messages[1]), flags(R"("a":)" + served("2")));
}

TEST(FlagdSync, InJson) {
  SyncBench bench;
  bench.begin();
  bench.take(R"({"flags":{}})");
  EXPECT_EQ(hear(bench.open(kSync).stream->all()).messages,
            std::vector<std::string>{R"({"flagConfiguration":"{\"flags\":{}}","syncContext":{}})"});
  EXPECT_EQ(bench.call(kFetch, "{}").text, R"({"flagConfiguration":"{\"flags\":{}}"})");
  EXPECT_EQ(bench.get(kFlags).text, kEmpty);
}

TEST(FlagdSync, NothingIsSentWhenNothingChangedForTheSelector) {
  SyncBench bench(2);
  bench.begin();
  bench.take(flags(R"("a":)" + one_flag("1")), 0);
  bench.take(flags(R"("b":)" + one_flag("1")), 1);
  auto first = bench.open(kSync, "source=a.json", "", "proto").stream;
  auto all = bench.open(kSync, {}, "", "proto").stream;
  bench.take(flags(R"("b":)" + one_flag("1"), R"(,"$evaluators":{"e":{"var":"x"}})"), 1);
  bench.publish();
  EXPECT_EQ(documents(first).size(), 1u);
  EXPECT_EQ(documents(all).size(), 1u) << "an evaluator that nobody refers to";
  bench.take(flags(R"("b":)" + one_flag("2")), 1);
  EXPECT_EQ(documents(first), std::vector<std::string>{flags(R"("a":)" + served("1"))});
  EXPECT_EQ(documents(all).size(), 2u);
}

TEST(FlagdSync, UntilAllSourcesHaveAnswered) {
  SyncBench bench(2);
  bench.begin();
  bench.take(flags(R"("a":)" + one_flag("1")), 0);
  auto record = bench.open(kSync, {}, "", "proto").stream;
  ASSERT_NE(record, nullptr);
  EXPECT_TRUE(record->sent.empty());
  auto fetched = bench.call(kFetch, "{}");
  EXPECT_EQ(fetched.status, 503);
  EXPECT_NE(fetched.text.find("\"unavailable\""), std::string::npos) << fetched.text;
  auto got = bench.get(kFlags);
  EXPECT_EQ(got.status, 503);
  EXPECT_EQ(got.header("Retry-After"), "1");
  bench.take(std::string(kEmpty), 1);
  EXPECT_EQ(documents(record), std::vector<std::string>{flags(R"("a":)" + served("1"))});
  EXPECT_EQ(bench.get(kFlags).status, 200);
}

TEST(FlagdSync, ASlowReaderGetsTheNewestAndNothingBetween) {
  SyncBench bench;
  bench.begin();
  bench.take(flags(R"("a":)" + one_flag("1")));
  auto slow = bench.open(kSync, {}, "", "proto").stream;
  auto quick = bench.open(kSync, {}, "", "proto").stream;
  slow->refusing = true;
  bench.take(flags(R"("a":)" + one_flag("2")));
  bench.take(flags(R"("a":)" + one_flag("3")));
  EXPECT_EQ(documents(slow).size(), 1u);
  EXPECT_EQ(documents(quick).size(), 3u);
  slow->stream->drain();
  ASSERT_EQ(documents(slow).size(), 2u);
  EXPECT_EQ(slow->shared.back().get(), quick->shared.back().get()) << "one body for all";
}

TEST(FlagdSync, PreparedBodiesAreCountedAndGo) {
  SyncBench bench;
  bench.begin();
  const std::string value = "\"" + std::string(10'000, 'x') + "\"";
  bench.take(flags(R"("a":)" + one_flag(value)));
  auto& bytes = bench.desk().counters.prepared_bytes;
  EXPECT_EQ(bytes.read(), 0u);
  auto record = bench.open(kSync, {}, "", "proto").stream;
  EXPECT_GT(bytes.read(), 10'000u);
  EXPECT_LT(bytes.read(), 20'000u);
  EXPECT_EQ(bench.desk().counters.sync_streams.read(), 1u);
  // Others who ask take the same.
  EXPECT_EQ(bench.get(kFlags).status, 200);
  EXPECT_LT(bytes.read(), 20'000u);
  record->sent.clear();
  record->shared.clear();
  record->stream->lose();
  EXPECT_EQ(bytes.read(), 0u);
  EXPECT_EQ(bench.desk().counters.sync_streams.read(), 0u);
  // What was made for one answer goes with the next change.
  EXPECT_EQ(bench.get(kFlags).status, 200);
  EXPECT_GT(bytes.read(), 10'000u);
  bench.take(std::string(kEmpty));
  EXPECT_EQ(bytes.read(), 0u);
}

TEST(FlagdSync, TheHeaderWinsOverTheMessage) {
  SyncBench bench(2);
  bench.begin();
  bench.take(flags(R"("a":)" + one_flag("1")), 0);
  bench.take(flags(R"("b":)" + one_flag("1")), 1);
  const std::string only_a = flags(R"("a":)" + served("1"));
  const std::string only_b = flags(R"("b":)" + served("1", "b.json"));
  sync::SyncFlagsRequest request;
  request.set_provider_id("me");
  request.set_selector("source=a.json");
  const std::string proto = request.SerializeAsString();
  const std::string json = R"({"providerId":"me","selector":"source=a.json","new":1})";
  EXPECT_EQ(documents(bench.open(kSync, {}, proto, "proto").stream),
            std::vector<std::string>{only_a});
  EXPECT_EQ(documents(bench.open(kSync, "b.json", proto, "proto").stream),
            std::vector<std::string>{only_b});
  sync::FetchAllFlagsResponse response;
  ASSERT_TRUE(response.ParseFromString(bench.call(kFetch, proto, "b.json", "proto").text));
  EXPECT_EQ(response.flag_configuration(), only_b);
  EXPECT_NE(bench.call(kFetch, json).text.find(R"(\"a\")"), std::string::npos);
  EXPECT_NE(bench.call(kFetch, json, "b.json").text.find(R"(\"b\")"), std::string::npos);
  EXPECT_EQ(bench.get(kFlags, {{"flagd-selector", "b.json"}}).text, only_b);
  EXPECT_EQ(bench.get(kFlags, {{"flagd-selector", "c.json"}}).text, kEmpty);
}

TEST(FlagdSync, BadRequests) {
  SyncBench bench;
  bench.begin();
  bench.take(std::string(kEmpty));
  const auto bad = bench.get(kFlags, {{"flagd-selector", "colour=blue"}});
  EXPECT_EQ(bad.status, 400);
  for (const char* message : {"", "[]", R"({"selector":1})", R"({"selector":"colour=blue"})"}) {
    EXPECT_EQ(bench.call(kFetch, message).status, 400) << message;
    EXPECT_EQ(bench.open(kSync, {}, message).stream, nullptr) << message;
  }
  EXPECT_EQ(bench.call(kFetch, "\xff", {}, "proto").status, 400);
  EXPECT_EQ(bench.call(kFetch, "\x12\x01\xff", {}, "proto").status, 400);
}

TEST(FlagdSync, Metadata) {
  SyncBench bench;
  bench.desk().settings.static_context = {{"region", "eu"}, {"\"", "\n"}};
  bench.begin();
  EXPECT_EQ(bench.call(kMetadata, "{}").text, R"({"metadata":{"region":"eu","\"":"\n"}})");
  sync::GetMetadataResponse response;
  ASSERT_TRUE(response.ParseFromString(bench.call(kMetadata, "", {}, "proto").text));
  EXPECT_EQ(response.metadata().fields().at("region").string_value(), "eu");
  bench.desk().settings.sync_metadata = false;
  const auto off = bench.call(kMetadata, "{}");
  EXPECT_EQ(off.status, 501);
  EXPECT_NE(off.text.find("unimplemented"), std::string::npos);
}

TEST(FlagdSync, PollersAskWhetherSomethingChanged) {
  SyncBench bench(2);
  bench.begin();
  bench.load(flags(R"("a":)" + one_flag("1")), 0);
  bench.take(flags(R"("b":)" + one_flag("1")), 1);
  const auto first = bench.get(kFlags);
  EXPECT_EQ(first.content_type, "application/json");
  const std::string etag = first.header("ETag");
  EXPECT_EQ(etag.size(), 34u);
  EXPECT_EQ(first.header("Last-Modified"), "Sun, 09 Sep 2001 01:46:40 GMT");
  const auto unchanged = bench.get(kFlags, {{"if-none-match", "\"x\", W/" + etag}});
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_TRUE(unchanged.text.empty());
  EXPECT_EQ(unchanged.header("ETag"), etag);
  EXPECT_EQ(bench.get(kFlags, {{"if-modified-since", "Sun, 09 Sep 2001 01:46:40 GMT"}}).status,
            304);
  EXPECT_EQ(bench.get(kFlags, {{"if-modified-since", "Sun, 09 Sep 2001 01:46:39 GMT"}}).status,
            200);
  EXPECT_EQ(bench.get(kFlags, {{"if-modified-since", "yesterday"}}).status, 200);
  // If-None-Match is the better question.
  EXPECT_EQ(bench
                .get(kFlags, {{"if-none-match", "\"x\""},
                              {"if-modified-since", "Sun, 09 Sep 2001 01:46:40 GMT"}})
                .status,
            200);
  const auto selected = bench.get(kFlags, {{"flagd-selector", "a.json"}});
  EXPECT_NE(selected.header("ETag"), etag);
  bench.take(flags(R"("b":)" + one_flag("2")), 1);
  EXPECT_EQ(bench.get(kFlags, {{"if-none-match", etag}}).status, 200);
  const std::string selected_etag = selected.header("ETag");
  EXPECT_EQ(
      bench.get(kFlags, {{"flagd-selector", "a.json"}, {"if-none-match", selected_etag}}).status,
      304);
}

TEST(FlagdSync, WhatChangedThisSecondMayChangeAgain) {
  SyncBench bench;
  bench.begin();
  bench.changed_unix_ms = unix_now_ms();
  bench.take(std::string(kEmpty));
  const std::string date = bench.get(kFlags).header("Last-Modified");
  const auto answer = bench.get(kFlags, {{"if-modified-since", date}});
  // Unless the second passed between the two.
  const bool settled = unix_now_ms() / 1000 > bench.changed_unix_ms / 1000;
  EXPECT_TRUE(answer.status == 200 || settled);
}

TEST(FlagdSync, SeveralSourcesMakeOneDocument) {
  SyncBench bench(2);
  bench.begin();
  const std::string refers = R"(,"targeting":{"$ref":"e"})";
  bench.take(flags(R"("one":)" + one_flag("1", refers) + R"(,"both":)" + one_flag("1"),
                   R"(,"$evaluators":{"e":{"var":"x"}},"metadata":{"flagSetId":"x","v":1})"),
             0);
  bench.take(flags(R"("two":)" + one_flag("2", refers) + R"(,"both":)" + one_flag("2"),
                   R"(,"$evaluators":{"e":{"var":"y"}},"metadata":{"flagSetId":"y"})"),
             1);
  bench.pin("pinned", "true");
  simdjson::dom::parser parser;
  const auto document = parser.parse(bench.get(kFlags).text).value();
  EXPECT_EQ(simdjson::minify(document["flags"]["one"]),
            one_flag("1", R"(,"targeting":{"var":"x"},"metadata":{"flagSetId":"x","v":1})"
                          R"(,"source":"a.json")"));
  EXPECT_EQ(simdjson::minify(document["flags"]["two"]),
            one_flag("2", R"(,"targeting":{"var":"y"},"metadata":{"flagSetId":"y"})"
                          R"(,"source":"b.json")"));
  // The later source's, as an evaluation without a selector finds it.
  EXPECT_EQ(simdjson::minify(document["flags"]["both"]),
            served("2", "b.json", R"({"flagSetId":"y"})"));
  EXPECT_EQ(simdjson::minify(document["flags"]["pinned"]),
            R"({"state":"ENABLED","variants":{"pinned":true},"defaultVariant":"pinned",)"
            R"("metadata":{"flagstone.pinned":true},"source":"pins"})");
  EXPECT_EQ(bench.get(kFlags, {{"flagd-selector", "flagSetId=x"}}).text.find("\"two\""),
            std::string::npos);
}

TEST(FlagdSync, AQuarantinedFlagIsServedAsItWasLastGoodElseNotAtAll) {
  SyncBench bench;
  bench.begin();
  const std::string others = R"(,"b":{},"c":{})";
  bench.take(flags(R"("a":)" + one_flag("1") + others));
  const std::string good = bench.get(kFlags).text;
  EXPECT_NE(good.find("\"a\""), std::string::npos);
  // In-process providers refuse a whole document for one such flag, and stay on what they had.
  bench.take(flags(R"("a":{"state":7},"d":5)" + others));
  EXPECT_EQ(bench.get(kFlags).text, good);
}

TEST(FlagdSync, StreamsEndWellWhenTheProcessStops) {
  SyncBench bench;
  bench.begin();
  bench.take(std::string(kEmpty));
  auto record = bench.open(kSync, {}, "", "proto").stream;
  bench.stop();
  EXPECT_EQ(hear(record->all()).end, "{}");
  EXPECT_EQ(bench.open(kSync).stream, nullptr);
}

TEST(FlagdSync, ABodyIsCountedWhileItIsKept) {
  SyncBench bench;
  bench.begin();
  bench.take(std::string(kEmpty));
  EXPECT_EQ(bench.get(kFlags).status, 200);
  EXPECT_GT(bench.desk().counters.prepared_bytes.read(), 0u);
}

TEST(HttpDate, BothWays) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(read_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  for (const char* text : {"", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nox 1994 08:49:37 GMT",
                           "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT "}) {
    EXPECT_EQ(read_http_date(text), std::nullopt) << text;
  }
}

// What a flag answers, as text.
std::string answer(const cache::Snapshot& snapshot, std::string_view key,
                   const evaluation::EvaluationContext& context, evaluation::Scratch& scratch) {
  const cache::Entry* flag = snapshot.find_flag(key);
  if (flag == nullptr) return "not found";
  const evaluation::Moment moment{.unix_ms = 1'700'000'000'000, .random = 0};
  cache::RecordReader reader(cache::RecordReader::Patience::kDisk);
  const auto result = snapshot.evaluate(*flag, context, moment, scratch, reader);
  return std::string(result.value_json) + "|" + std::string(result.variant) + "|" +
         std::string(reason_name(result.reason)) + "|" + std::string(error_code_name(result.error));
}

// Another daemon that takes this one as its source answers as this one does.
TEST(FlagdSync, TheTestbedsDocumentAnswersAlikeOneDaemonFurther) {
  const auto definitions =
      evaluation::read_file(evaluation::shared_path("conformance/flagd/flags.json"));
  const auto cases = evaluation::read_file(evaluation::shared_path("conformance/flagd/cases.json"));
  if (!definitions || !cases) GTEST_SKIP() << "there is no ../shared/conformance";
  SyncBench hub;
  hub.begin();
  hub.take(*definitions);
  SyncBench pod;
  pod.begin();
  pod.take(hub.get(kFlags).text);
  ASSERT_EQ(pod.snapshot().flag_count(), hub.snapshot().flag_count());

  simdjson::dom::parser parser;
  evaluation::ContextReader contexts;
  evaluation::Scratch scratch;
  std::size_t compared = 0;
  for (const auto test : parser.parse(*cases).value()["cases"].get_array()) {
    const std::string body = R"({"context":)" + simdjson::minify(test["context"]) + "}";
    const std::string padded = body + std::string(net::Request::kBodyPaddingBytes, ' ');
    const auto context =
        contexts.read_member(std::string_view(padded).substr(0, body.size()), "context");
    ASSERT_TRUE(context) << body;
    const std::string_view key(test["flag"]);
    EXPECT_EQ(answer(pod.snapshot(), key, *context, scratch),
              answer(hub.snapshot(), key, *context, scratch))
        << key << " " << body;
    ++compared;
  }
  EXPECT_EQ(compared, 140u);
  // And what that one serves is what it was served, but for the source.
  auto again = pod.get(kFlags);
  SyncBench further;
  further.begin();
  further.take(again.text);
  EXPECT_EQ(further.get(kFlags).text, again.text);
}

}  // namespace
}  // namespace flagstone::sidecar
