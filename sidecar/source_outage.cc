#include "sidecar/source_outage.h"

#include <array>
#include <ctime>

#include "sidecar/duration_text.h"

namespace flagstone::sidecar {
namespace {

constexpr std::int64_t kSecondMs = 1'000;
constexpr std::int64_t kDaySeconds = 24 * 60 * 60;

}  // namespace

void SourceOutage::note(std::int64_t now_ms, std::int64_t unix_ms) {
  if (tries_++ > 0) return;
  since_ms_ = now_ms;
  since_unix_ms_ = unix_ms;
}

std::string SourceOutage::since(std::int64_t unix_ms) const {
  const std::time_t begin = since_unix_ms_ / kSecondMs;
  const bool today = unix_ms / kSecondMs / kDaySeconds == begin / kDaySeconds;
  std::tm parts{};
  gmtime_r(&begin, &parts);
  std::array<char, 32> text{};
  (void)std::strftime(text.data(), text.size(), today ? "%H:%M" : "%Y-%m-%d %H:%M", &parts);
  return std::string(text.data()) + " (" + std::to_string(tries_) +
         (tries_ == 1 ? " try)" : " tries)");
}

std::string SourceOutage::lasted(std::int64_t now_ms) const {
  return duration_text(now_ms - since_ms_);
}

}  // namespace flagstone::sidecar
