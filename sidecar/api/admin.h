// The admin port: probes, metrics, status, usage, and the one thing an operator can do here.
//
// On the keeper's loop, owned by the daemon. Nothing secret is shown.
#pragma once

#include <chrono>
#include <string_view>

#include "net/handler.h"
#include "net/router.h"
#include "sidecar/keeper.h"

namespace flagstone::sidecar {

class Admin {
 public:
  // A serving loop that has not turned for so long is not alive.
  static constexpr std::int64_t kDeadAfterMs = 10'000;

  Admin(Keeper& keeper, net::Loop& loop, std::chrono::milliseconds startup_wait);

  void add_routes(net::Router& router);
  // Readiness says no from here on.
  void set_stopping() { stopping_ = true; }

  // GET /healthz: the loops turn.
  void live(const net::Request& request, std::string_view, net::Response& response);
  // GET /readyz: every required environment can be answered; 503 names what is missing.
  void ready(const net::Request& request, std::string_view, net::Response& response);
  // GET /startupz: as /readyz, and 200 in any case once startup_wait is over, so that a new pod
  // starts during an outage.
  void startup(const net::Request& request, std::string_view, net::Response& response);
  void metrics(const net::Request& request, std::string_view, net::Response& response);
  void status(const net::Request& request, std::string_view, net::Response& response);
  void usage(const net::Request& request, std::string_view, net::Response& response);
  // POST /accept/{environment}
  void accept(const net::Request& request, std::string_view environment, net::Response& response);

 private:
  Keeper& keeper_;
  net::Loop& loop_;
  std::int64_t started_ms_;
  std::chrono::milliseconds startup_wait_;
  bool stopping_ = false;
};

}  // namespace flagstone::sidecar
