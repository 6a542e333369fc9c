// Blocking sockets that listen, for the scripted servers. They abort when that cannot be.
#pragma once

#include <cstdint>
#include <string>

namespace flagstone::fakes {

int listen_on_unix(const std::string& path);
int listen_on_loopback(std::uint16_t& port);

}  // namespace flagstone::fakes
