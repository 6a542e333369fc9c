// Where the load goes: an IPv4 address with port, or a Unix socket. A value; connecting may fail as
// the world pleases and says so in words.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace flagstone::bench {

// A connected, non-blocking socket to `HOST:PORT` or `unix:PATH`; the caller closes it.
std::expected<int, std::string> connect_to(std::string_view target);

}  // namespace flagstone::bench
