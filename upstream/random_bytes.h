// Bytes of the system's own chance, for what nobody may guess or come upon again: ids and salts.
//
// Any thread. Never fails once the system has booted.
#pragma once

#include <cstddef>
#include <string>

namespace flagstone::upstream {

// REQUIRES: at most 256, which the system gives whole.
std::string random_bytes(std::size_t count);

}  // namespace flagstone::upstream
