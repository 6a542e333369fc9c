// What a management port that is open to other machines tells them: probes and metrics, and no
// more.
//
// A handler before the host guard, which it borrows; on the keeper's loop, owned by the daemon. On
// a listener beyond loopback, requests from peers that are not loopback pass to /healthz, /readyz,
// /metrics and gRPC's health check alone, whatever their Host says; everything else is 403.
// Loopback peers come under the Host rule there as on a loopback listener: a web page that had its
// own name point to 127.0.0.1 reads no flags.
#pragma once

#include "net/handler.h"

namespace flagstone::sidecar {

class AdminGuard final : public net::Handler {
 public:
  explicit AdminGuard(net::Handler& next) : next_(next) {}

  void handle(const net::Request& request, net::Response& response) override;
  void refuse(const net::Refusal& refusal, const net::Request& request,
              net::Response& response) override {
    next_.refuse(refusal, request, response);
  }

 private:
  net::Handler& next_;
};

}  // namespace flagstone::sidecar
