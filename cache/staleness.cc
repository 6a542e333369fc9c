#include "cache/staleness.h"

#include <algorithm>

namespace flagstone::cache {
namespace {

bool is_stale_whatever_happens(const SourceFacts& facts) {
  if (facts.origin != Origin::kLive) return true;
  switch (facts.kind) {
    case SourceKind::kPoll:
      return !facts.last_contact_ms;
    case SourceKind::kStream:
      return false;
    case SourceKind::kFile:
      return !facts.readable;
  }
  return true;
}

// When patience ends; nullopt: nothing is being waited for.
std::optional<std::int64_t> patience_ends_ms(const SourceFacts& facts) {
  if (facts.kind == SourceKind::kPoll && facts.last_contact_ms) {
    return *facts.last_contact_ms + std::max(kStaleIntervals * facts.interval_ms, kStaleAfterMs);
  }
  if (facts.kind == SourceKind::kStream && facts.disconnected_since_ms) {
    return *facts.disconnected_since_ms + kStaleAfterMs;
  }
  return std::nullopt;
}

}  // namespace

bool is_stale(const SourceFacts& facts, std::int64_t now_ms) {
  if (is_stale_whatever_happens(facts)) return true;
  const std::optional<std::int64_t> end = patience_ends_ms(facts);
  return end && now_ms > *end;
}

std::optional<std::int64_t> stale_at_ms(const SourceFacts& facts, std::int64_t now_ms) {
  if (is_stale(facts, now_ms)) return std::nullopt;
  const std::optional<std::int64_t> end = patience_ends_ms(facts);
  if (!end) return std::nullopt;
  return *end + 1;
}

}  // namespace flagstone::cache
