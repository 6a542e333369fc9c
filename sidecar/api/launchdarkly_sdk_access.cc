#include "sidecar/api/launchdarkly_sdk_access.h"

#include "evaluation/json_text.h"
#include "sidecar/api/launchdarkly_sdk_mirror.h"
#include "sidecar/routing.h"

namespace flagstone::sidecar {

std::optional<std::size_t> open_sdk_environment(ServingDesk& desk, const net::Request& request,
                                                net::Response& response) {
  const cache::ServingState& state = *desk.state;
  const auto index = find_environment(state.routes, request, false);
  if (index && is_launchdarkly(state.environments[*index])) return *index;
  const auto status = refusal_status(
      desk.unknown_credentials, index ? RoutingError::kForeignCredential : index.error(), response);
  if (!status) return std::nullopt;
  desk.counters.count_refused(evaluation::ErrorCode::kGeneral);
  refuse_sdk(response, *status,
             index ? "this key is not an SDK key of LaunchDarkly's" : describe(index.error()));
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
