// Gzip of whole texts, for bodies that are sent. See net/rpc/gzip.h for the way back.
//
// Pure; any thread. Fails only for want of memory, which ends the process.
#pragma once

#include <string>
#include <string_view>

namespace flagstone::net {

std::string gzip(std::string_view text);

}  // namespace flagstone::net
