#include "sidecar/credential_change.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace flagstone::sidecar {

std::string credential_change_text(std::string_view uri, const config::Secret& now, bool had_one,
                                   std::chrono::milliseconds grace, std::int64_t unix_ms) {
  const std::string end = config::end_of(now);
  const std::string which = end.empty() ? end : " (" + end + ")";
  if (!had_one) return fmt::format("the credential file of {} holds a key now{}", uri, which);
  const std::string text =
      fmt::format("the credential file of {} changed, its new key{} is in use", uri, which);
  if (grace.count() == 0) return text + "; the one before counts no more";
  const auto end_s = static_cast<std::time_t>((unix_ms + grace.count()) / 1000);
  return fmt::format("{}; apps may use the one before until {:%Y-%m-%dT%H:%M:%SZ}", text,
                     fmt::gmtime(end_s));
}

}  // namespace flagstone::sidecar
