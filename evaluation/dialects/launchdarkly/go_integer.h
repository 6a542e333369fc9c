// What Go makes of a double where it wants an integer, on the machines that LaunchDarkly's services
// and SDKs run on: the fraction is cut off, and what 64 bits do not hold becomes the least integer.
//
// Pure.
#pragma once

#include <cstdint>
#include <limits>

namespace flagstone::evaluation::launchdarkly {

inline std::int64_t go_integer(double number) {
  constexpr double kLimit = 9223372036854775808.0;
  if (!(number >= -kLimit && number < kLimit)) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(number);
}

}  // namespace flagstone::evaluation::launchdarkly
