#include "sidecar/duration_text.h"

#include <array>
#include <cstdio>

namespace flagstone::sidecar {
namespace {

constexpr std::int64_t kSecondMs = 1'000;
constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

std::string two_parts(std::int64_t large, char large_unit, std::int64_t small, char small_unit) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%lld%c%02lld%c", static_cast<long long>(large),
                large_unit, static_cast<long long>(small), small_unit);
  return text.data();
}

}  // namespace

std::string duration_text(std::int64_t ms) {
  const std::int64_t seconds = ms / kSecondMs;
  if (seconds == 0) return "0." + std::to_string(ms % kSecondMs / 100) + "s";
  if (seconds < kMinute) return std::to_string(seconds) + "s";
  if (seconds < kHour) return two_parts(seconds / kMinute, 'm', seconds % kMinute, 's');
  if (seconds < kDay) return two_parts(seconds / kHour, 'h', seconds % kHour / kMinute, 'm');
  return two_parts(seconds / kDay, 'd', seconds % kDay / kHour, 'h');
}

}  // namespace flagstone::sidecar
