// How long something took, for people.
#pragma once

#include <cstdint>
#include <string>

namespace flagstone::sidecar {

// "0.4s", "12s", "2m38s", "3h05m", "2d04h"
std::string duration_text(std::int64_t ms);

}  // namespace flagstone::sidecar
