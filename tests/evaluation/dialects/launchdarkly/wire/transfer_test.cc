#include "evaluation/dialects/launchdarkly/wire/transfer.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace flagstone::evaluation::launchdarkly {
namespace {

using Step = Transfer::Step;
using Strings = std::vector<std::string>;

struct Event {
  std::string name;
  std::string data;
};

Event intent(const std::string& code) {
  return {"server-intent", R"({"payloads":[{"id":"p","target":5,"intentCode":")" + code +
                               R"(","reason":"stale"},{"intentCode":"nonsense"}]})"};
}
Event put(const std::string& key, int version, const std::string& kind = "flag") {
  return {"put-object", R"({"version":)" + std::to_string(version) + R"(,"kind":")" + kind +
                            R"(","key":")" + key + R"(","object":{"version":)" +
                            std::to_string(version) + "}}"};
}
Event removal(const std::string& key, int version) {
  return {"delete-object",
          R"({"key":")" + key + R"(","kind":"flag","version":)" + std::to_string(version) + "}"};
}
Event transferred(const std::string& state) {
  return {"payload-transferred", R"({"state":")" + state + R"(","version":5})"};
}

// What the steps after each event are; of complete transfers their updates.
Strings run(const std::vector<Event>& events) {
  static constexpr const char* kNames[] = {"nothing",  "change",    "begun",  "current",
                                           "complete", "discarded", "goodbye"};
  Transfer transfer;
  Strings said;
  for (const Event& event : events) {
    const auto step = transfer.on_event(event.name, event.data);
    if (!step) {
      said.push_back("error: " + step.error());
      return said;
    }
    said.emplace_back(kNames[static_cast<std::size_t>(*step)]);
    if (*step != Step::kComplete) continue;
    const Update update = transfer.take();
    EXPECT_TRUE(update.in_order);
    EXPECT_EQ(transfer.held_bytes(), 0U);
    std::string text = update.kind == UpdateKind::kFull ? "full" : "delta";
    for (const Record& record : update.records) {
      text += (record.id.kind == kFlagKind ? " " : " segment ") + record.id.key + "@" +
              std::to_string(record.version) + (record.tombstone ? "-" : "");
    }
    said.back() = text + " -> " + update.cursor;
  }
  return said;
}

struct Row {
  std::string what;
  std::vector<Event> events;
  Strings said;
};

TEST(TransferTest, EventsBecomeTransfers) {
  const std::vector<Row> rows = {
      {"everything",
       {intent("xfer-full"), put("a", 1), put("s", 2, "segment"), transferred("one")},
       {"begun", "change", "change", "full a@1 segment s@2 -> one"}},
      {"changes follow without another intent",
       {intent("xfer-full"), transferred("one"), put("a", 2), removal("b", 3), transferred("two")},
       {"begun", "full -> one", "change", "change", "delta a@2 b@3- -> two"}},
      {"changes",
       {intent("xfer-changes"), put("a", 2), transferred("two")},
       {"begun", "change", "delta a@2 -> two"}},
      {"nothing to transfer, then changes",
       {intent("none"), put("a", 1), transferred("two")},
       {"current", "change", "delta a@1 -> two"}},
      {"versions are not compared",
       {intent("xfer-changes"), put("a", 9), put("a", 1), transferred("x")},
       {"begun", "change", "change", "delta a@9 a@1 -> x"}},
      {"an error discards and keeps the intent",
       {intent("xfer-full"),
        put("a", 1),
        {"error", R"({"payloadId":"p","reason":"r"})"},
        put("b", 1),
        transferred("x")},
       {"begun", "change", "discarded", "change", "full b@1 -> x"}},
      {"another intent discards",
       {intent("xfer-changes"), put("a", 1), intent("xfer-full"), transferred("x")},
       {"begun", "change", "begun", "full -> x"}},
      {"goodbye",
       {intent("xfer-full"), put("a", 1), {"goodbye", R"({"reason":"r","silent":true})"}},
       {"begun", "change", "goodbye"}},
      {"unknown things",
       {intent("xfer-full"),
        {"heart-beat", "{}"},
        {"new", "no json"},
        put("x", 1, "hologram"),
        transferred("y")},
       {"begun", "nothing", "nothing", "nothing", "full -> y"}},
      {"a deleted object",
       {intent("xfer-full"),
        {"put-object", R"({"kind":"flag","key":"a","version":4,"object":{"deleted":true}})"},
        transferred("x")},
       {"begun", "change", "full a@4- -> x"}},
      {"no state is none",
       {intent("xfer-full"), {"payload-transferred", R"({"version":1})"}},
       {"begun", "full -> "}},
      {"a transfer that nobody announced",
       {put("a", 1), transferred("x")},
       {"change", "error: payload-transferred: nothing was announced"}},
      {"an intent without payloads",
       {{"server-intent", R"({"payloads":[ ]})"}},
       {"error: server-intent: \"payloads\" is empty"}},
      {"of another type",
       {{"server-intent", R"({"payloads":{}})"}},
       {"error: server-intent: there are no \"payloads\""}},
      {"with an unknown code",
       {intent("xfer-magic")},
       {"error: server-intent: the intent is \"xfer-magic\""}},
      {"no JSON",
       {intent("xfer-full"), {"put-object", R"({"kind":)"}},
       {"begun", "error: put-object: the text ends too early (byte 8)"}},
      {"no object",
       {intent("xfer-full"), {"put-object", R"({"kind":"flag","key":"a","version":1})"}},
       {"begun", "error: put-object: there is no \"object\""}},
      {"no key",
       {intent("xfer-full"), {"delete-object", R"({"kind":"flag"})"}},
       {"begun", "error: delete-object: there is no \"kind\" or \"key\""}},
  };
  for (const Row& row : rows) EXPECT_EQ(run(row.events), row.said) << row.what;
}

TEST(TransferTest, AGoodbyeMaySayForHowLong) {
  Transfer transfer;
  ASSERT_EQ(transfer.on_event("goodbye", R"({"reason":"old","protocolFallbackTTL":60})"),
            Step::kGoodbye);
  EXPECT_EQ(transfer.fallback_ttl_s(), 60);
}

class Polled final : public PollScanner::Receiver {
 public:
  std::expected<void, std::string> on_polled(std::string_view name,
                                             std::string_view data) override {
    if (name == "bad") return std::unexpected("a bad one");
    said.push_back(std::string(name) + " " + std::string(data));
    return {};
  }
  Strings said;
};

TEST(PollScannerTest, CutsEventsWhateverThePieces) {
  const std::vector<std::pair<std::string, Strings>> rows = {
      {R"({"events":[{"event":"a","data":{"x":[1]}}, {"data":{},"event":"b","id":1}],"more":{"events":[1]}})",
       {R"(a {"x":[1]})", "b {}"}},
      {R"({"events":[{"event":"heart-beat"}]})", {"heart-beat {}"}},
      {R"({"events":[]})", {}},
      {R"({})", {"there are no \"events\""}},
      {R"({"events":{}})", {"line 1, column 12 (byte 11): \"events\" is not an array"}},
      {R"({"events":[1]})", {"line 1, column 13 (byte 12): an event: not a JSON object"}},
      {R"({"events":[{"data":{}}]})", {"line 1, column 23 (byte 22): an event without \"event\""}},
      {R"({"events":[{"event":"bad"}]})", {"line 1, column 27 (byte 26): a bad one"}},
  };
  for (const auto& [text, expected] : rows) {
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      Polled polled;
      PollScanner scanner(1 << 20, 1 << 20, polled);
      std::expected<void, DocumentError> fed;
      for (std::size_t at = 0; at < text.size() && fed; at += piece) {
        fed = scanner.feed(std::string_view(text).substr(at, piece));
      }
      if (fed) fed = scanner.finish();
      if (!fed) polled.said.push_back(to_string(fed.error()));
      EXPECT_EQ(polled.said, expected) << text << " in pieces of " << piece;
    }
  }
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly
