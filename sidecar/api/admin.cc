#include "sidecar/api/admin.h"

#include "sidecar/metrics.h"
#include "sidecar/status.h"

namespace flagstone::sidecar {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kPrometheusText = "text/plain; version=0.0.4; charset=utf-8";

void answer(net::Response& response, int status, std::string_view line) {
  response.body() += line;
  response.body() += '\n';
  response.send(status, kText);
}

}  // namespace

Admin::Admin(Keeper& keeper, net::Loop& loop, std::chrono::milliseconds startup_wait)
    : keeper_(keeper), loop_(loop), started_ms_(loop.now_ms()), startup_wait_(startup_wait) {}

void Admin::add_routes(net::Router& router) {
  using net::Method;
  router.add<&Admin::live>(Method::kGet, "/healthz", *this);
  router.add<&Admin::ready>(Method::kGet, "/readyz", *this);
  router.add<&Admin::startup>(Method::kGet, "/startupz", *this);
  router.add<&Admin::metrics>(Method::kGet, "/metrics", *this);
  router.add<&Admin::status>(Method::kGet, "/status", *this);
  router.add<&Admin::usage>(Method::kGet, "/usage", *this);
  router.add<&Admin::accept>(Method::kPost, "/accept/{environment}", *this);
}

void Admin::live(const net::Request&, std::string_view, net::Response& response) {
  for (const ServingThread* thread : keeper_.threads()) {
    if (thread->silent_ms() > kDeadAfterMs) {
      answer(response, 503, "a serving loop has stopped turning");
      return;
    }
  }
  answer(response, 200, "ok");
}

void Admin::ready(const net::Request&, std::string_view, net::Response& response) {
  if (stopping_) {
    answer(response, 503, "stopping");
    return;
  }
  std::vector<std::string> missing = keeper_.missing();
  if (missing.empty()) {
    answer(response, 200, "ready");
    return;
  }
  for (const std::string& line : missing) {
    response.body() += line;
    response.body() += '\n';
  }
  response.send(503, kText);
}

void Admin::startup(const net::Request& request, std::string_view parameter,
                    net::Response& response) {
  if (loop_.now_ms() - started_ms_ >= startup_wait_.count()) {
    answer(response, 200, "started");
    return;
  }
  ready(request, parameter, response);
}

void Admin::metrics(const net::Request&, std::string_view, net::Response& response) {
  append_metrics(response.body(), keeper_, unix_now_ms());
  response.send(200, kPrometheusText);
}

void Admin::status(const net::Request&, std::string_view, net::Response& response) {
  append_status(response.body(), keeper_, unix_now_ms());
  response.send(200, kJson);
}

void Admin::usage(const net::Request&, std::string_view, net::Response& response) {
  append_usage(response.body(), keeper_);
  response.send(200, kJson);
}

void Admin::accept(const net::Request&, std::string_view environment, net::Response& response) {
  auto taken = keeper_.accept(environment);
  if (taken) {
    answer(response, 200, "accepted");
  } else {
    answer(response, 409, taken.error());
  }
}

}  // namespace flagstone::sidecar
