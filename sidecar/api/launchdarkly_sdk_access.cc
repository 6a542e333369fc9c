#include "sidecar/api/launchdarkly_sdk_access.h"

#include <algorithm>
#include <string>

#include "evaluation/json_text.h"
#include "net/percent.h"
#include "sidecar/api/launchdarkly_sdk_mirror.h"
#include "sidecar/routing.h"

namespace flagstone::sidecar {
namespace {

// As LaunchDarkly's relay answers a filter it does not have.
void refuse_filter(RoutingError error, std::string_view filter, net::Response& response) {
  if (error == RoutingError::kFilterNeeded) {
    return refuse_sdk(response, 404,
                      std::string(describe(error)) +
                          ": set the SDK's payload filter, or configure an environment of this key "
                          "without `filter`");
  }
  constexpr std::size_t kShown = 64;
  refuse_sdk(response, 404,
             std::string(describe(error)) + " (" + std::string(filter.substr(0, kShown)) +
                 "): configure one with this `filter`, or one without any");
}

// Of an environment that is not LaunchDarkly's, or not yet.
int status_of_another(const cache::Routes& routes, std::uint32_t environment) {
  return std::ranges::find(routes.awaited, environment) == routes.awaited.end() ? 401 : 503;
}

}  // namespace

std::optional<std::size_t> open_sdk_environment(ServingDesk& desk, const net::Request& request,
                                                net::Response& response) {
  const cache::ServingState& state = *desk.state;
  std::string filter;
  if (const auto raw = net::query_parameter(request.query, "filter")) {
    if (!net::percent_decode(*raw, filter)) filter = *raw;
  }
  const auto found = find_filtered_environment(state.routes, request, filter);
  if (found && is_launchdarkly(state.environments[found->route.environment])) {
    desk.access.opened(*found, filter);
    desk.counters.sdk_requests[found->route.environment].add(1);
    return found->route.environment;
  }
  const RoutingError error = found ? RoutingError::kForeignCredential : found.error();
  // Final for SDKs, whatever it is: so what can be known has to be known first.
  const auto status = found ? status_of_another(state.routes, found->route.environment)
                            : refusal_status(desk.unknown_credentials, error, request, response);
  if (!status) return std::nullopt;
  desk.counters.count_refused(evaluation::ErrorCode::kGeneral);
  const bool is_about_filter =
      error == RoutingError::kUnknownFilter || error == RoutingError::kFilterNeeded;
  if (is_about_filter && *status != 503) {
    desk.access.filter_refused(error, filter);
    refuse_filter(error, filter, response);
    return std::nullopt;
  }
  if (*status == 401) desk.access.refused(AccessApi::kLaunchDarklySdk, error, request);
  refuse_sdk(response, *status,
             found ? "this key is not an SDK key of LaunchDarkly's" : describe(error));
  return std::nullopt;
}

void refuse_sdk(net::Response& response, int status, std::string_view message) {
  std::string& body = response.body();
  body = "{\"message\":";
  evaluation::append_json_string(body, message);
  body += '}';
  constexpr std::string_view kJson = "application/json";
  if (status == 503) return response.send(status, kJson, {{"Retry-After", "1"}});
  response.send(status, kJson);
}

}  // namespace flagstone::sidecar
