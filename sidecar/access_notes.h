// What people should hear of how requests open environments: counted here, and told to the keeper,
// which alone warns (sidecar/access_warnings.h).
//
// One per serving thread, on its loop. Bounded: of refused requests one a second is told, of
// payload filters so many names in the process's life.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "net/loop.h"
#include "net/request.h"
#include "sidecar/routing.h"
#include "sidecar/serving_counters.h"

namespace flagstone::sidecar {

struct AccessNote {
  enum class Kind : std::uint8_t {
    kUnauthorized,
    kUnfilteredServed,    // FilterMatch::kUnfiltered
    kFilteredOnlyServed,  // FilterMatch::kFilteredOnly
    kFilterRefused,       // RoutingError::kUnknownFilter, kFilterNeeded
  };
  Kind kind = Kind::kUnauthorized;
  AccessApi api{};
  RoutingError error{};           // Of those that were refused.
  std::uint32_t environment = 0;  // Of those that were served.
  // As the request presented it. Never logged whole.
  std::string credential = {};
  std::string filter = {};
};

class AccessNotes {
 public:
  static constexpr std::size_t kFiltersMax = 64;
  // A longer one is none that is configured.
  static constexpr std::size_t kTextBytesMax = 256;
  static constexpr std::int64_t kPauseMs = 1000;

  // On this loop; hands it to the keeper.
  using Tell = std::move_only_function<void(AccessNote note)>;

  AccessNotes(net::Loop& loop, ServingCounters& counters) : loop_(loop), counters_(counters) {}

  // Before the thread starts.
  void set_tell(Tell tell) { tell_ = std::move(tell); }

  void opened(const Route& route) {
    if (route.by_former) [[unlikely]] {
      counters_.former_credential_requests[route.environment].add(1);
    }
  }
  void opened(const FilteredRoute& found, std::string_view filter);
  // The request is answered by 401, or what its protocol has for that.
  void refused(AccessApi api, RoutingError error, const net::Request& request);
  // It is answered by 404.
  void filter_refused(RoutingError error, std::string_view filter);

 private:
  void tell_of_filter(AccessNote note);

  net::Loop& loop_;
  ServingCounters& counters_;
  Tell tell_;
  // Environment, or none of them, and filter; empty: none was asked for.
  std::set<std::pair<std::uint32_t, std::string>> filters_told_;
  std::int64_t refusal_told_ms_ = -kPauseMs;
};

}  // namespace flagstone::sidecar
