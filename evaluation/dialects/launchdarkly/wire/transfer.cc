#include "evaluation/dialects/launchdarkly/wire/transfer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "evaluation/dialects/launchdarkly/wire/data_record.h"
#include "evaluation/json_cursor.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

constexpr std::array<std::string_view, 6> kEvents = {
    "server-intent", "put-object", "delete-object", "payload-transferred", "error", "goodbye"};

// The first element of an array; nothing when it is empty.
std::optional<std::string_view> first_element(std::string_view array) {
  // An object of one member, so that the cursor can walk it.
  const std::size_t begin = array.find_first_not_of(" \t\r\n", 1);
  if (begin == std::string_view::npos || array[begin] == ']') return std::nullopt;
  return array.substr(begin, array.size() - begin - 1);
}

std::expected<ObjectMembers, std::string> members_of(std::string_view event,
                                                     std::string_view data) {
  auto members = ObjectMembers::read(data);
  if (!members) return std::unexpected(std::string(event) + ": " + members.error());
  return members;
}

}  // namespace

bool is_transfer_event(std::string_view name) {
  return std::ranges::find(kEvents, name) != kEvents.end();
}

std::expected<Transfer::Step, std::string> Transfer::on_event(std::string_view name,
                                                              std::string_view data) {
  if (name == "put-object") return put(data);
  if (name == "delete-object") return removed(data);
  if (name == "server-intent") return announced(data);
  if (name == "payload-transferred") return transferred(data);
  if (name != "error" && name != "goodbye") return Step::kNothing;
  const auto members = members_of(name, data);
  if (!members) return std::unexpected(members.error());
  forget();
  if (name == "error") return Step::kDiscarded;
  fallback_ttl_s_ = members->number("protocolFallbackTTL");
  return Step::kGoodbye;
}

std::expected<Transfer::Step, std::string> Transfer::announced(std::string_view data) {
  const auto members = members_of("server-intent", data);
  if (!members) return std::unexpected(members.error());
  const auto payloads = members->find("payloads");
  if (!payloads || !payloads->starts_with('[')) {
    return std::unexpected("server-intent: there are no \"payloads\"");
  }
  const auto first = first_element(*payloads);
  if (!first || !first->starts_with('{')) {
    return std::unexpected("server-intent: \"payloads\" is empty");
  }
  JsonCursor cursor(*first);
  std::string_view key;
  std::string_view value;
  std::string_view code;
  while (cursor.next(key, value)) {
    if (key == "intentCode") code = value;
  }
  forget();
  intent_ = code == "\"xfer-full\"" ? Intent::kFull : Intent::kChanges;
  if (code == "\"none\"") return Step::kCurrent;
  if (code == "\"xfer-full\"" || code == "\"xfer-changes\"") return Step::kBegun;
  intent_ = Intent::kUnknown;
  return std::unexpected("server-intent: the intent is " +
                         (code.empty() ? "missing" : std::string(code)));
}

std::expected<Transfer::Step, std::string> Transfer::put(std::string_view data) {
  const auto members = members_of("put-object", data);
  if (!members) return std::unexpected(members.error());
  const auto kind_name = members->string("kind");
  auto key = members->string("key");
  if (!kind_name || !key) return std::unexpected("put-object: there is no \"kind\" or \"key\"");
  const auto kind = kind_of_object(*kind_name);
  if (!kind) return Step::kNothing;
  const auto object = members->find("object");
  if (!object || !object->starts_with('{')) {
    return std::unexpected("put-object: there is no \"object\"");
  }
  add(make_record({.kind = *kind, .set_id = {}, .key = std::move(*key)}, *object,
                  members->number("version").value_or(0)));
  return Step::kChange;
}

std::expected<Transfer::Step, std::string> Transfer::removed(std::string_view data) {
  const auto members = members_of("delete-object", data);
  if (!members) return std::unexpected(members.error());
  const auto kind_name = members->string("kind");
  auto key = members->string("key");
  if (!kind_name || !key) return std::unexpected("delete-object: there is no \"kind\" or \"key\"");
  const auto kind = kind_of_object(*kind_name);
  if (!kind) return Step::kNothing;
  Record record;
  record.id = {.kind = *kind, .set_id = {}, .key = std::move(*key)};
  record.version = members->number("version").value_or(0);
  record.tombstone = true;
  add(std::move(record));
  return Step::kChange;
}

std::expected<Transfer::Step, std::string> Transfer::transferred(std::string_view data) {
  const auto members = members_of("payload-transferred", data);
  if (!members) return std::unexpected(members.error());
  if (intent_ == Intent::kUnknown) {
    return std::unexpected("payload-transferred: nothing was announced");
  }
  state_ = members->string("state").value_or("");
  complete_is_full_ = is_full();
  intent_ = Intent::kChanges;
  return Step::kComplete;
}

void Transfer::add(Record record) {
  held_bytes_ += sizeof(Record) + record.id.key.size() + record.raw.size();
  records_.push_back(std::move(record));
}

void Transfer::forget() {
  records_.clear();
  held_bytes_ = 0;
}

std::vector<Record> Transfer::drain() {
  held_bytes_ = 0;
  return std::exchange(records_, {});
}

Update Transfer::take() {
  Update update;
  update.kind = complete_is_full_ ? UpdateKind::kFull : UpdateKind::kDelta;
  update.in_order = true;
  update.cursor = std::exchange(state_, {});
  update.records = drain();
  return update;
}

std::expected<JsonCutter::Wish, std::string> PollScanner::on_value(const JsonCutter::Value& value) {
  using Wish = JsonCutter::Wish;
  if (value.depth == 0) {
    if (value.first != '{') return std::unexpected("not a JSON object");
    return Wish::kEnter;
  }
  if (value.depth == 2) return Wish::kTake;
  if (value.key != "events") return Wish::kSkip;
  if (value.first != '[') return std::unexpected("\"events\" is not an array");
  has_events_ = true;
  return Wish::kEnter;
}

std::expected<void, std::string> PollScanner::on_taken(std::string_view raw) {
  const auto members = ObjectMembers::read(raw);
  if (!members) return std::unexpected("an event: " + members.error());
  const auto name = members->string("event");
  if (!name) return std::unexpected("an event without \"event\"");
  return receiver_.on_polled(*name, members->find("data").value_or("{}"));
}

std::expected<void, DocumentError> PollScanner::finish() {
  if (auto whole = cutter_.finish(); !whole) return whole;
  if (!has_events_) return std::unexpected(DocumentError{.message = "there are no \"events\""});
  return {};
}

}  // namespace flagstone::evaluation::launchdarkly
