// What the log says of a credential that changed in its file. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/secret.h"

namespace flagstone::sidecar {

// `had_one`: there was another before, which apps may use for `grace` more. The time is UTC's, as
// in the log.
std::string credential_change_text(std::string_view uri, const config::Secret& now, bool had_one,
                                   std::chrono::milliseconds grace, std::int64_t unix_ms);

}  // namespace flagstone::sidecar
