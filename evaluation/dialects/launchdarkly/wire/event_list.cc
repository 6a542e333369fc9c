#include "evaluation/dialects/launchdarkly/wire/event_list.h"

#include <utility>

#include "evaluation/json_bytes.h"
#include "evaluation/json_cursor.h"
#include "evaluation/json_syntax.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

// REQUIRES: valid JSON.
char first_of(std::string_view json) {
  while (is_json_space(json.front())) json.remove_prefix(1);
  return json.front();
}

std::expected<void, EventError> check(std::string_view json) {
  if (const auto valid = check_json(json, kEventDepthMax); !valid) {
    return std::unexpected(EventError{.message = "not JSON: " + std::string(valid.error().message) +
                                                 " at byte " +
                                                 std::to_string(valid.error().byte_offset),
                                      .is_too_deep = valid.error().message == "nested too deep"});
  }
  return {};
}

std::unexpected<EventError> no_event(std::string message) {
  return std::unexpected(EventError{.message = std::move(message)});
}

}  // namespace

std::expected<EventList, EventError> EventList::read(std::string_view json) {
  if (auto valid = check(json); !valid) return std::unexpected(std::move(valid.error()));
  if (first_of(json) != '[') return no_event("not an array of events");
  EventList list(json);
  std::string_view event;
  while (list.next(event)) {
    if (event.front() != '{') return no_event("an event that is no object");
  }
  return EventList(json);
}

std::size_t count_events(std::string_view json) {
  EventList list = EventList::known_good(json);
  std::size_t count = 0;
  for (std::string_view event; list.next(event);) ++count;
  return count;
}

std::string_view kind_of_event(std::string_view event) {
  JsonCursor members(event);
  std::string_view kind;
  std::string_view key;
  std::string_view value;
  while (members.next(key, value)) {
    if (key == "kind") kind = value;
  }
  return kind;
}

bool is_summary(std::string_view event) { return kind_of_event(event) == R"("summary")"; }

Summaries only_summaries(std::string_view json) {
  Summaries kept{.json = "[", .kept = 0, .left_out = 0};
  EventList list = EventList::known_good(json);
  for (std::string_view event; list.next(event);) {
    if (!is_summary(event)) {
      ++kept.left_out;
      continue;
    }
    if (kept.kept++ > 0) kept.json += ',';
    kept.json += event;
  }
  kept.json += ']';
  return kept;
}

Halves halve_events(std::string_view json) {
  Halves halves;
  EventList list = EventList::known_good(json);
  for (std::string_view event; list.next(event);) {
    const bool first =
        halves.first.empty() || halves.first.size() + event.size() <= json.size() / 2;
    std::string& to = first && halves.second.empty() ? halves.first : halves.second;
    to += to.empty() ? '[' : ',';
    to += event;
  }
  if (halves.second.empty()) return {};
  halves.first += ']';
  halves.second += ']';
  return halves;
}

std::expected<Diagnostic, EventError> read_diagnostic(std::string_view json) {
  if (auto valid = check(json); !valid) return std::unexpected(std::move(valid.error()));
  if (first_of(json) != '{') return no_event("a diagnostic event that is no object");
  Diagnostic read;
  std::string_view kind;
  std::string id;
  std::string_view created;
  JsonCursor members(json);
  for (std::string_view key, value; members.next(key, value);) {
    if (key == "kind") kind = value;
    if (key == "creationDate") created = value;
    if (key == "id") {
      id.clear();
      append_minified(id, value);
    }
    if (key != "sdk" && key != "configuration" && key != "platform") continue;
    read.what += key;
    append_minified(read.what, value);
  }
  read.is_init = kind == R"("diagnostic-init")";
  if (!id.empty() && !created.empty()) {
    read.identity = std::string(kind) + '/' + std::string(created) + '/' + id;
  }
  return read;
}

}  // namespace flagstone::evaluation::launchdarkly
