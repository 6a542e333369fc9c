// The shape of a listener's address: "unix:PATH" or "HOST:PORT". Pure; whether it can be bound
// shows when it is.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace flagstone::config {

// sun_path of a Unix socket's address, its closing NUL not counted.
inline constexpr std::size_t kMaxSocketPathBytes = 107;

// What is wrong with it, with the remedy; nothing when the shape is right. Port 0 is any free port.
std::optional<std::string> address_problem(std::string_view address);

// Where a client on this machine reaches a listener: wildcard hosts become loopback.
std::string reachable_address(std::string_view address);

}  // namespace flagstone::config
