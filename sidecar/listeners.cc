#include "sidecar/listeners.h"

#include <spdlog/logger.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "net/server.h"

namespace flagstone::sidecar {
namespace {

std::expected<net::BoundSocket, net::Error> bind(const std::string& address) {
  auto parsed = net::Address::parse(address);
  if (!parsed) return std::unexpected(net::Error{0, parsed.error()});
  if (parsed->is_unix()) {
    // Best effort: what is wrong with the folder shows when binding.
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(parsed->path()).parent_path(),
                                        ignored);
  }
  return net::BoundSocket::bind(*parsed);
}

bool lacks_ipv6(const net::Error& error) {
  return error.number == EAFNOSUPPORT || error.number == EADDRNOTAVAIL;
}

}  // namespace

std::expected<net::BoundSocket, std::string> bind_address(const std::string& address) {
  auto bound = bind(address);
  if (!bound) return std::unexpected(bound.error().message);
  return std::move(*bound);
}

std::expected<net::BoundSocket, std::string> bind_admin(const std::string& address) {
  constexpr std::string_view kAllOfIpv6 = "[::]";
  auto bound = bind(address);
  if (!bound && lacks_ipv6(bound.error()) && address.starts_with(kAllOfIpv6)) {
    return bind_address("0.0.0.0" + address.substr(kAllOfIpv6.size()));
  }
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
