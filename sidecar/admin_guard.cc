#include "sidecar/admin_guard.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace flagstone::sidecar {
namespace {

using net::Method;

bool is_for_everybody(const net::Request& request) {
  constexpr std::array<std::string_view, 3> kProbes = {"/healthz", "/readyz", "/metrics"};
  constexpr std::string_view kGrpcProbe = "/grpc.health.v1.Health/Check";
  if (request.method == Method::kPost) return request.path == kGrpcProbe;
  const bool reads = request.method == Method::kGet || request.method == Method::kHead;
  return reads && std::ranges::find(kProbes, request.path) != kProbes.end();
}

}  // namespace

void AdminGuard::handle(const net::Request& request, net::Response& response) {
  if (request.listener_kind != net::ListenerKind::kOtherTcp || is_for_everybody(request)) {
    next_.handle(request, response);
    return;
  }
  if (!request.peer_is_local) {
    next_.refuse({.status = 403, .reason = "only from this machine", .headers = {}}, request,
                 response);
    return;
  }
  net::Request local = request;
  local.listener_kind = net::ListenerKind::kLoopbackTcp;
  next_.handle(local, response);
}

}  // namespace flagstone::sidecar
