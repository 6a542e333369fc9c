#include "net/host_guard.h"

#include <algorithm>
#include <utility>

#include "net/ascii.h"
#include "net/same_bytes.h"

namespace flagstone::net {
namespace {

// Hosts so long are not remembered.
constexpr std::size_t kLastHostBytesMax = 256;

// Host fields are `name`, `name:port`, `[v6]`, `[v6]:port`.
std::string_view without_port(std::string_view host) {
  if (host.find(':') == std::string_view::npos) return host;  // quicker than a search from the end
  const std::size_t colon = host.rfind(':');
  const bool within_brackets = host.find(']', colon) != std::string_view::npos;
  return within_brackets ? host : host.substr(0, colon);
}

}  // namespace

HostGuard::HostGuard(Handler& next, HostGuardOptions options)
    : next_(next), options_(std::move(options)) {}

bool HostGuard::host_allowed(std::string_view host) const {
  const std::string_view name = without_port(host);
  for (std::string_view loopback : {"127.0.0.1", "localhost", "[::1]"}) {
    if (equal_ignoring_case(name, loopback)) return true;
  }
  return std::ranges::any_of(options_.allowed_hosts, [&](const std::string& allowed) {
    const bool any_port = without_port(allowed).size() == allowed.size();
    return equal_ignoring_case(any_port ? name : host, allowed);
  });
}

bool HostGuard::host_known(std::string_view host) {
  if (!host.empty() && same_bytes(host, last_host_)) return true;
  if (!host_allowed(host)) return false;
  if (host.size() <= kLastHostBytesMax) last_host_ = host;
  return true;
}

int HostGuard::verdict(const Request& request) {
  for (const std::string& exempt : options_.exempt_paths) {
    if (same_bytes(request.path, exempt)) return 0;
  }
  if (request.listener_kind == ListenerKind::kLoopbackTcp && !host_known(request.host)) return 421;
  // Two Origin fields come from no browser; each has to be allowed.
  for (const HeaderField& field : request.headers) {
    if (!same_bytes(field.name, "origin")) continue;
    const bool allowed =
        std::ranges::any_of(options_.allowed_origins, [&](const std::string& origin) {
          return origin == "*" || equal_ignoring_case(origin, field.value);
        });
    if (!allowed) return 403;
  }
  return 0;
}

void HostGuard::handle(const Request& request, Response& response) {
  switch (verdict(request)) {
    case 421:
      refuse({.status = 421, .reason = "this Host is not served here", .headers = {}}, request,
             response);
      return;
    case 403:
      refuse({.status = 403, .reason = "this Origin is not allowed", .headers = {}}, request,
             response);
      return;
    default:
      next_.handle(request, response);
  }
}

void HostGuard::refuse(const Refusal& refusal, const Request& request, Response& response) {
  next_.refuse(refusal, request, response);
}

}  // namespace flagstone::net
