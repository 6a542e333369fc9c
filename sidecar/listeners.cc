#include "sidecar/listeners.h"

#include <spdlog/logger.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "net/server.h"

namespace flagstone::sidecar {

std::expected<net::BoundSocket, std::string> bind_address(const std::string& address) {
  auto parsed = net::Address::parse(address);
  if (!parsed) return std::unexpected(parsed.error());
  if (parsed->is_unix()) {
    // Best effort: what is wrong with the folder shows when binding.
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(parsed->path()).parent_path(),
                                        ignored);
  }
  auto bound = net::BoundSocket::bind(*parsed);
  if (!bound) return std::unexpected(bound.error().message);
  return std::move(*bound);
}

std::expected<std::vector<BoundListener>, std::string> bind_listeners(
    const std::vector<config::ListenAddress>& addresses, spdlog::logger& log) {
  std::vector<BoundListener> bound;
  if (addresses.size() > net::ServerCounters::kListenersMax) {
    return std::unexpected("more than " + std::to_string(net::ServerCounters::kListenersMax) +
                           " addresses to listen on");
  }
  for (const config::ListenAddress& wanted : addresses) {
    auto socket = bind_address(wanted.address);
    if (!socket && wanted.required) return std::unexpected(socket.error());
    if (!socket) {
      log.warn("not listening on {}: {}", wanted.address, socket.error());
      continue;
    }
    log.info("listening on {}{}", socket->address().to_string(),
             wanted.environment.empty() ? "" : " for environment " + wanted.environment);
    if (socket->address().kind() == net::ListenerKind::kOtherTcp) {
      log.warn("{} is open to other machines: anyone who reaches it can ask for flags",
               socket->address().to_string());
    }
    bound.push_back({.socket = std::move(*socket), .environment = wanted.environment});
  }
  return bound;
}

}  // namespace flagstone::sidecar
