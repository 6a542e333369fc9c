// Every address the daemon serves on, bound once for the process.
//
// A function and the value it makes; main thread, before any loop runs.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "config/default_paths.h"
#include "net/listener.h"

namespace spdlog {
class logger;
}

namespace flagstone::sidecar {

struct BoundListener {
  net::BoundSocket socket;
  // The only one answered here; empty: all.
  std::string environment;
};

// Binds in order and logs each address. What is not required and cannot be bound is warned about;
// what is required and cannot be is the error.
std::expected<std::vector<BoundListener>, std::string> bind_listeners(
    const std::vector<config::ListenAddress>& addresses, spdlog::logger& log);

// One address, with the folder of a Unix socket made when it is missing.
std::expected<net::BoundSocket, std::string> bind_address(const std::string& address);

// The admin's: where `[::]` cannot be had since the system has no IPv6, all interfaces of IPv4.
std::expected<net::BoundSocket, std::string> bind_admin(const std::string& address);

}  // namespace flagstone::sidecar
