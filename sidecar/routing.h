// From a request to the environment it asks for: by the listener's binding, else by the credential,
// else `default`, else the only one (design of section "Serving" in DESIGN.md). Several
// environments of one credential are told apart by the payload filter that is asked for.
//
// Functions over the serving state's routes; serving threads; allocate nothing, unless a credential
// is unknown and may be a former one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "cache/serving_state.h"
#include "net/request.h"

namespace flagstone::sidecar {

enum class RoutingError : unsigned char {
  kForeignCredential,  // The listener is bound to another environment than the credential's.
  kUnknownCredential,  // A vendor's api: nobody's, as far as is known.
  kUnreadCredential,   // The same, and not every configured one could be read yet.
  kAmbiguous,          // Several environments, none called `default`, and nothing that names one.
  kUnknownFilter,      // The credential's environments have other payload filters, all of them.
  kFilterNeeded,       // The same, and none was asked for.
};
std::string_view describe(RoutingError error);

// What the request presents: `Authorization` without its scheme, else `X-API-Key`, else empty.
std::string_view presented_credential(const net::Request& request);

struct Route {
  std::uint32_t environment = 0;  // Its place in the serving state.
  bool by_former = false;         // The credential is nobody's any more, and in its grace.
  bool operator==(const Route&) const = default;
};

// With `may_fall_back` an unknown credential is as none (OFREP, flagd); vendors' own apis pass
// false and get kUnknownCredential or kUnreadCredential, and for none at all kForeignCredential. Of
// several environments of one credential it is the one without a payload filter, else the first.
std::expected<Route, RoutingError> find_environment(const cache::Routes& routes,
                                                    const net::Request& request,
                                                    bool may_fall_back = true);

enum class FilterMatch : std::uint8_t {
  kExact,
  kUnfiltered,    // No environment has that filter, and one that has none is more than was wanted.
  kFilteredOnly,  // None was asked for, and there is only one filter.
};
struct FilteredRoute {
  Route route;
  FilterMatch match = FilterMatch::kExact;
  bool operator==(const FilteredRoute&) const = default;
};

// The same for a request that says which payload filter it wants (empty: none) and that nothing
// falls back for.
std::expected<FilteredRoute, RoutingError> find_filtered_environment(const cache::Routes& routes,
                                                                     const net::Request& request,
                                                                     std::string_view filter);

// While the routes are made, after `filters`, environment by environment: it has that credential.
// Returns who had it before: the one of the same filter, else the first; nullopt: nobody.
std::optional<std::uint32_t> add_credential(cache::Routes& routes, const std::string& credential,
                                            std::uint32_t environment);
// After all of those: it had that credential, which is in its grace. It means whoever has it now,
// unless their filters tell them apart.
void add_former_credential(cache::Routes& routes, const std::string& credential,
                           std::uint32_t environment);

// The payload filter of an environment; empty: none.
std::string_view payload_filter_of(const cache::Routes& routes, std::uint32_t environment);

}  // namespace flagstone::sidecar
