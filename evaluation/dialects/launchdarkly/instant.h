// Moments that `before` and `after` compare: milliseconds since 1970, or RFC 3339 texts as
// LaunchDarkly reads them.
//
// Pure. A text that is none gives nothing. Source: go-server-sdk-evaluation v3
// (ldmodel/parse_time.go), followed to the letter: an hour may have one digit, a day need not
// exist in its month, an offset may have 99 hours, and what follows `Z` is not looked at.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include "evaluation/value.h"

namespace flagstone::evaluation::launchdarkly {

struct Instant {
  std::int64_t unix_seconds = 0;
  std::int64_t nanoseconds = 0;

  friend auto operator<=>(const Instant&, const Instant&) = default;
};

std::optional<Instant> instant_of(const Value& value);

}  // namespace flagstone::evaluation::launchdarkly
