// grpc.health.v1.Health, which tells the truth: SERVING while every required environment can be
// answered, NOT_SERVING before and from the moment on at which the process begins to stop.
//
// One per loop that serves it, the loop's thread only. GrpcHealth is the protocol; who knows the
// truth stands behind HealthOracle: on a serving thread the desk (DeskHealth), on the keeper's loop
// whatever readiness asks (PolledHealth). Source: grpc/doc/health-checking.md.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string_view>

#include "net/handler.h"
#include "net/router.h"
#include "net/rpc/call.h"
#include "net/timer.h"
#include "sidecar/api/api.h"
#include "sidecar/api/grpc_health_messages.h"
#include "sidecar/serving_desk.h"

namespace flagstone::sidecar {

class HealthOracle {
 public:
  virtual ~HealthOracle() = default;
  // Only asked of services that there are; empty stands for the whole process.
  virtual bool serving(std::string_view service) const = 0;
};

class GrpcHealth {
 public:
  // Watch streams of one loop; further ones are RESOURCE_EXHAUSTED.
  static constexpr std::size_t kWatchersMax = 1024;

  // All three are borrowed.
  GrpcHealth(net::Loop& loop, const HealthOracle& oracle, net::RpcScratch& scratch);

  void add_routes(net::Router& router);
  // The oracle may answer differently now: watchers are told what is new to them.
  void changed();
  // The oracle answers NOT_SERVING from now on: watchers are told, and ended.
  void stop();

  // POST /grpc.health.v1.Health/Check: NOT_FOUND for services that there are not.
  void check(const net::Request& request, std::string_view, net::Response& response);
  // POST /grpc.health.v1.Health/Watch: SERVICE_UNKNOWN for those, and the stream stays.
  void watch(const net::Request& request, std::string_view, net::Response& response);
  void refuse(const net::Refusal& refusal, const net::Request& request, net::Response& response);

 private:
  struct Watcher {
    std::string_view service;  // one of the table's; nothing of the request
    bool known = false;
    HealthStatus told = HealthStatus::kUnknown;
    std::unique_ptr<net::RpcStream> stream;
  };

  HealthStatus status_of(const Watcher& watcher) const;
  void tell(Watcher& watcher);

  net::Loop& loop_;
  const HealthOracle& oracle_;
  net::RpcScratch& scratch_;
  bool stopped_ = false;
  std::list<Watcher> watchers_;
};

// On a serving thread: what its desk holds.
class DeskHealth final : public ServingApi, private HealthOracle {
 public:
  DeskHealth(net::Loop& loop, ServingDesk& desk);

  void add_routes(net::Router& router) override { health_.add_routes(router); }
  void on_published() override { health_.changed(); }
  void on_leaving() override { health_.stop(); }
  void on_stopping() override { health_.stop(); }

 private:
  bool serving(std::string_view service) const override;

  ServingDesk& desk_;
  GrpcHealth health_;
};

// Where nobody says when the truth changes: asked for every call, and once a second for those who
// watch.
class PolledHealth final : private HealthOracle {
 public:
  static constexpr std::int64_t kPollMs = 1000;

  PolledHealth(net::Loop& loop, std::function<bool()> is_serving);

  void add_routes(net::Router& router);
  void stop() { health_.stop(); }

 private:
  bool serving(std::string_view service) const override;

  std::function<bool()> is_serving_;
  net::RpcScratch scratch_;
  GrpcHealth health_;
  net::Timer poll_timer_;
};

}  // namespace flagstone::sidecar
