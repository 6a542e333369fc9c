// A JSON array of events, as SDKs post it, one event after the other in its own spelling.
//
// Pure; views of the text given.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "evaluation/dialect.h"
#include "evaluation/json_cursor.h"

namespace flagstone::evaluation::launchdarkly {

// Contexts nest, and so do values of flags, and both stand some levels deep in an event.
inline constexpr std::size_t kEventDepthMax = kJsonDepthMax + 8;

struct EventError {
  std::string message;
  bool is_too_deep = false;  // It is JSON, and more of it than we take.
};

class EventList {
 public:
  // The error says what is wrong: not JSON, no array, or an item that is no object.
  static std::expected<EventList, EventError> read(std::string_view json);
  // Without a look. REQUIRES: read() accepted it once.
  static EventList known_good(std::string_view json) { return EventList(json); }

  // The next event's text; false at the end.
  bool next(std::string_view& event) { return items_.next_item(event); }

 private:
  explicit EventList(std::string_view json) : items_(json) {}

  JsonCursor items_;
};

// Any JSON array that is known to be valid, likewise.
std::size_t count_events(std::string_view json);
// `"summary"`, quotes included; empty when the event has no kind.
std::string_view kind_of_event(std::string_view event);
bool is_summary(std::string_view event);

// The same list without what is no summary, and how many events those were.
struct Summaries {
  std::string json;
  std::size_t kept = 0;
  std::size_t left_out = 0;
};
Summaries only_summaries(std::string_view json);

// Two lists that together are the first, each of about half of its bytes. Empty texts when there
// are not two events.
struct Halves {
  std::string first;
  std::string second;
};
Halves halve_events(std::string_view json);

// One diagnostic event: the error says why it is none.
struct Diagnostic {
  bool is_init = false;
  // Of the SDK, its configuration and the platform: the same for equal processes.
  std::string what;
  // Which event it is, of which process, made when: the same where it is posted again. Empty when
  // it does not say.
  std::string identity;
};
std::expected<Diagnostic, EventError> read_diagnostic(std::string_view json);

}  // namespace flagstone::evaluation::launchdarkly
