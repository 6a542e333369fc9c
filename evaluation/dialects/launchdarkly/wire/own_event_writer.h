// Writes the events of evaluations that were made here, as LaunchDarkly's server SDKs write theirs.
//
// Appends one JSON object to `out` and nothing around it. Pure but for the context's scratch. The
// default is always null: no caller of ours sends one. Source: go-sdk-events v3 (events_output).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "evaluation/dialects/launchdarkly/wire/detail.h"
#include "evaluation/dialects/launchdarkly/wire/event_context.h"

namespace flagstone::evaluation::launchdarkly {

// False, and nothing is appended, when all of the context is anonymous and that is not to be told.
[[nodiscard]] bool append_index_event(std::string& out, std::int64_t unix_ms,
                                      EventContext& context);

enum class FullEvent : std::uint8_t { kFeature, kDebug };

// REQUIRES: the detail's flag exists. `prerequisite_of` may be empty. A value of another type than
// the caller asked for is the caller's default, as in the SDKs.
void append_full_event(std::string& out, FullEvent event, std::int64_t unix_ms,
                       const Detail& detail, std::string_view prerequisite_of, bool wrong_type,
                       EventContext& context);

}  // namespace flagstone::evaluation::launchdarkly
