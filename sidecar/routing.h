// From a request to the environment it asks for: by the listener's binding, else by the credential,
// else `default`, else the only one (design of section "Serving" in DESIGN.md).
//
// Functions over the serving state's routes; serving threads; allocate nothing, unless a credential
// is unknown and may be a former one.
#pragma once

#include <cstddef>
#include <expected>
#include <string_view>

#include "cache/serving_state.h"
#include "net/request.h"

namespace flagstone::sidecar {

enum class RoutingError : unsigned char {
  kForeignCredential,  // The listener is bound to another environment than the credential's.
  kUnknownCredential,  // A vendor's api: nobody's, as far as is known.
  kUnreadCredential,   // The same, and not every configured one could be read yet.
  kAmbiguous,          // Several environments, none called `default`, and nothing that names one.
};
std::string_view describe(RoutingError error);

// What the request presents: `Authorization` without its scheme, else `X-API-Key`, else empty.
std::string_view presented_credential(const net::Request& request);

// The environment's place in the serving state. With `may_fall_back` an unknown credential is as
// none (OFREP, flagd); vendors' own apis pass false and get kUnknownCredential or
// kUnreadCredential, and for none at all kForeignCredential.
std::expected<std::size_t, RoutingError> find_environment(const cache::Routes& routes,
                                                          const net::Request& request,
                                                          bool may_fall_back = true);

}  // namespace flagstone::sidecar
