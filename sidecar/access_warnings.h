// Says to people which requests open no environment, or not quite the one they ask for.
//
// Owned by the keeper, on its loop. Bounded: each credential is warned of once until it has been
// silent for an hour, all together once a minute; of payload filters so many names.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/serving_state.h"
#include "sidecar/access_notes.h"

namespace spdlog {
class logger;
}  // namespace spdlog

namespace flagstone::sidecar {

// Its last four characters, if it is long enough that they give nothing away.
std::string end_of_credential(std::string_view credential);

class AccessWarnings {
 public:
  static constexpr std::int64_t kPauseMs = 60'000;
  static constexpr std::int64_t kSilenceMs = 3'600'000;
  static constexpr std::size_t kCredentialsMax = 64;
  static constexpr std::size_t kFormerMax = 16;
  static constexpr std::size_t kFiltersMax = 64;

  explicit AccessWarnings(spdlog::logger& log) : log_(log) {}

  // Those in their grace by now: one that is among them and then opens nothing is known for what
  // it was.
  void remember_former(const cache::Routes& routes, const std::vector<std::string>& names);
  // `environment` is the name of the one that was served, else empty.
  void take(const AccessNote& note, std::string_view environment, std::int64_t now_ms);

 private:
  struct Refused {
    std::uint64_t digest = 0;
    std::int64_t last_ms = 0;
  };
  struct Former {
    std::uint64_t digest = 0;  // Of one that is known by its text.
    cache::Routes::Former hashed;
    std::string environment;
  };

  void warn_refused(const AccessNote& note, std::int64_t now_ms);
  void warn_filter(const AccessNote& note, std::string_view environment);
  const Former* find_former(std::string_view credential) const;
  void remember(Former former);

  spdlog::logger& log_;
  std::deque<Refused> refused_;
  std::deque<Former> former_;
  std::set<std::pair<std::string, std::string>> filters_warned_;
  std::int64_t warned_ms_ = -kPauseMs;
};

}  // namespace flagstone::sidecar
