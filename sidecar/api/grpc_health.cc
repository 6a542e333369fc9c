#include "sidecar/api/grpc_health.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <utility>

namespace flagstone::sidecar {
namespace {

// They stand and fall together: all of them answer from the same snapshots.
constexpr std::array<std::string_view, 5> kServices = {
    "", "flagd.evaluation.v1.Service", "flagd.evaluation.v2.Service", "schema.v1.Service",
    "flagd.sync.v1.FlagSyncService"};

}  // namespace

GrpcHealth::GrpcHealth(net::Loop& loop, const HealthOracle& oracle, net::RpcScratch& scratch)
    : loop_(loop), oracle_(oracle), scratch_(scratch) {}

void GrpcHealth::add_routes(net::Router& router) {
  using net::Method;
  router.add<&GrpcHealth::check>(Method::kPost, "/grpc.health.v1.Health/Check", *this);
  router.add<&GrpcHealth::watch>(Method::kPost, "/grpc.health.v1.Health/Watch", *this);
  router.set_refusals<&GrpcHealth::refuse>("/grpc.health.v1.Health/", *this);
}

void GrpcHealth::check(const net::Request& request, std::string_view, net::Response& response) {
  auto call = net::RpcCall::begin(net::RpcKind::kUnary, request, response, scratch_);
  if (!call) return;
  const auto service = read_health_request(call->message(), call->codec());
  if (!service) return call->fail(net::RpcCode::kInvalidArgument, "the request is malformed");
  const auto* const known = std::ranges::find(kServices, *service);
  if (known == kServices.end()) {
    return call->fail(net::RpcCode::kNotFound, "there is no service `" + *service + "` here");
  }
  const Watcher asked{.service = *known, .known = true, .told = {}, .stream = nullptr};
  append_health_response(status_of(asked), call->codec(), call->reply());
  call->send();
}

void GrpcHealth::watch(const net::Request& request, std::string_view, net::Response& response) {
  auto call = net::RpcCall::begin(net::RpcKind::kServerStream, request, response, scratch_);
  if (!call) return;
  const auto service = read_health_request(call->message(), call->codec());
  if (!service) return call->fail(net::RpcCode::kInvalidArgument, "the request is malformed");
  if (watchers_.size() >= kWatchersMax) {
    return call->fail(net::RpcCode::kResourceExhausted, "too many watch already");
  }
  const auto* const known = std::ranges::find(kServices, *service);
  const bool is_known = known != kServices.end();
  watchers_.push_back({.service = is_known ? *known : std::string_view(),
                       .known = is_known,
                       .told = HealthStatus::kUnknown,
                       .stream = call->open_stream(loop_)});
  const auto place = std::prev(watchers_.end());
  place->stream->set_on_closed([this, place] { watchers_.erase(place); });
  // Refused before: it hears what is true now.
  place->stream->set_on_drained([this, place] { tell(*place); });
  tell(*place);
  if (stopped_) stop();
}

void GrpcHealth::refuse(const net::Refusal& refusal, const net::Request& request,
                        net::Response& response) {
  net::RpcCall::refuse(refusal, request, response);
}

HealthStatus GrpcHealth::status_of(const Watcher& watcher) const {
  if (!watcher.known) return HealthStatus::kServiceUnknown;
  const bool serving = !stopped_ && oracle_.serving(watcher.service);
  return serving ? HealthStatus::kServing : HealthStatus::kNotServing;
}

void GrpcHealth::tell(Watcher& watcher) {
  const HealthStatus status = status_of(watcher);
  if (status == watcher.told) return;
  std::string message;
  append_health_response(status, watcher.stream->codec(), message);
  if (watcher.stream->send(message)) watcher.told = status;
}

void GrpcHealth::changed() {
  for (Watcher& watcher : watchers_) tell(watcher);
}

void GrpcHealth::stop() {
  stopped_ = true;
  changed();
  for (Watcher& watcher : watchers_) watcher.stream->close(net::RpcCode::kUnavailable, "stopping");
  watchers_.clear();
}

DeskHealth::DeskHealth(net::Loop& loop, ServingDesk& desk)
    : desk_(desk), health_(loop, *this, desk.rpc) {}

bool DeskHealth::serving(std::string_view) const {
  if (desk_.stopping || desk_.state == nullptr) return false;
  const auto& environments = desk_.state->environments;
  return !environments.empty() &&
         std::ranges::all_of(environments, [](const cache::EnvironmentState& environment) {
           return environment.optional || (environment.complete && environment.snapshot != nullptr);
         });
}

PolledHealth::PolledHealth(net::Loop& loop, std::function<bool()> is_serving)
    : is_serving_(std::move(is_serving)),
      health_(loop, *this, scratch_),
      poll_timer_(loop, [this] { health_.changed(); }) {
  poll_timer_.start_repeating(kPollMs, kPollMs);
}

void PolledHealth::add_routes(net::Router& router) { health_.add_routes(router); }

bool PolledHealth::serving(std::string_view) const { return is_serving_(); }

}  // namespace flagstone::sidecar
