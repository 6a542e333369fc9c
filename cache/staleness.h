// When what is served counts as stale. A pure rule over facts; times are monotonic milliseconds.
#pragma once

#include <cstdint>
#include <optional>

#include "cache/serving_state.h"

namespace flagstone::cache {

enum class SourceKind : std::uint8_t { kPoll, kStream, kFile };

// Polls count as stale after max(kStaleIntervals × interval, kStaleAfterMs) without success,
// streams after kStaleAfterMs of being disconnected.
inline constexpr std::int64_t kStaleAfterMs = 60'000;
inline constexpr std::int64_t kStaleIntervals = 3;

struct SourceFacts {
  SourceKind kind = SourceKind::kPoll;
  Origin origin = Origin::kLive;
  // Polls: how often it asks.
  std::int64_t interval_ms = 30'000;
  // Polls: the last successful contact (a 304 is one); nullopt: none yet.
  std::optional<std::int64_t> last_contact_ms;
  // Streams: since when it is disconnected; nullopt: it is connected.
  std::optional<std::int64_t> disconnected_since_ms;
  // Files: the last attempt to read it succeeded.
  bool readable = true;
};

bool is_stale(const SourceFacts& facts, std::int64_t now_ms);
// When it becomes stale if nothing happens; nullopt: it is already, or never will.
std::optional<std::int64_t> stale_at_ms(const SourceFacts& facts, std::int64_t now_ms);

}  // namespace flagstone::cache
