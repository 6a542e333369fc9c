// Keeps web pages out: DNS rebinding by the Host rule, cross-site requests by the Origin rule.
//
// A handler before a handler, which it borrows; one per loop. On listeners bound to loopback TCP a
// Host other than localhost, 127.0.0.1, [::1] (any port) or an allowed one is refused with 421. On
// every listener a request with an Origin that is not allowed is refused with 403. Exempt paths
// (probes) pass both.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/handler.h"

namespace flagstone::net {

struct HostGuardOptions {
  std::vector<std::string> allowed_hosts;  // without port: any port; with port: that one
  std::vector<std::string>
      allowed_origins;  // `scheme://host[:port]` as browsers send it; `*` allows all
  std::vector<std::string> exempt_paths = {"/healthz", "/readyz"};
};

class HostGuard final : public Handler {
 public:
  HostGuard(Handler& next, HostGuardOptions options);

  void handle(const Request& request, Response& response) override;
  void refuse(const Refusal& refusal, const Request& request, Response& response) override;

  // 0 to let pass, else 421 or 403.
  int verdict(const Request& request);

 private:
  bool host_allowed(std::string_view host) const;
  bool host_known(std::string_view host);

  Handler& next_;
  HostGuardOptions options_;
  std::string last_host_;  // allowed: one client says one Host
};

}  // namespace flagstone::net
