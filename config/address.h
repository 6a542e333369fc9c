// The shape of a listener's address: "unix:PATH", "HOST:PORT" or "tls:HOST:PORT". Pure; whether it
// can be bound shows when it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flagstone::config {

// sun_path of a Unix socket's address, its closing NUL not counted.
inline constexpr std::size_t kSocketPathBytesMax = 107;

// What is wrong with it, with the remedy; nothing when the shape is right. Port 0 is any free port.
std::optional<std::string> address_problem(std::string_view address);

bool is_tls_address(std::string_view address);
// What two listeners cannot share: the address without `tls:`.
std::string_view endpoint_of(std::string_view address);

// "HOST:PORT", an IPv6 host in brackets.
std::string tcp_address(std::string_view host, std::uint32_t port);

// Where a client on this machine reaches a listener: wildcard hosts become loopback.
std::string reachable_address(std::string_view address);

}  // namespace flagstone::config
