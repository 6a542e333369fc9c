#include "sidecar/api/launchdarkly_sdk_status.h"

#include <algorithm>

#include "sidecar/api/launchdarkly_sdk_access.h"
#include "sidecar/api/launchdarkly_sdk_mirror.h"
#include "upstream/source.h"

namespace flagstone::sidecar {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

// `sdk-`, `mob-`.
bool has_prefix(std::string_view key) {
  return key.size() > 4 && is_lower(key[0]) && is_lower(key[1]) && is_lower(key[2]) &&
         key[3] == '-';
}

using upstream::FailureKind;

// What the SDK inside the relay calls it.
std::string_view relay_name(FailureKind kind) {
  switch (kind) {
    case FailureKind::kResolve:
    case FailureKind::kConnect:
    case FailureKind::kTls:
    case FailureKind::kTimeout:
    case FailureKind::kSlow:
    case FailureKind::kTruncated:
      return "NETWORK_ERROR";
    case FailureKind::kUnauthorized:
    case FailureKind::kNotFound:
    case FailureKind::kRateLimited:
    case FailureKind::kServerError:
    case FailureKind::kHttpStatus:
    case FailureKind::kRedirect:
      return "ERROR_RESPONSE";
    case FailureKind::kProtocol:
    case FailureKind::kTooLarge:
    case FailureKind::kEncoding:
    case FailureKind::kMalformed:
      return "INVALID_DATA";
    case FailureKind::kMissing:
    case FailureKind::kUnreadable:
    case FailureKind::kCredential:
      return "UNKNOWN";
  }
  return "UNKNOWN";
}

std::string_view relay_name(std::string_view kind) {
  for (std::size_t i = 0; i < upstream::kFailureKindCount; ++i) {
    const auto known = static_cast<FailureKind>(i);
    if (failure_kind_name(known) == kind) return relay_name(known);
  }
  // A document that came whole and was refused.
  return "INVALID_DATA";
}

bool has_keys(const cache::Routes& routes, std::size_t index) {
  if (index >= routes.credentials.size()) return false;
  const cache::Routes::Credentials& keys = routes.credentials[index];
  return !keys.current.empty() || !keys.former.empty() || !keys.accepted.empty();
}

// The relay has the first two. While a key is being rotated both are there.
void append_keys(JsonWriter& json, const cache::Routes::Credentials& keys) {
  const auto member = [&json](std::string_view name, std::string_view key) {
    if (!key.empty()) json.member(name, std::string_view(obscured_key(key)));
  };
  member("sdkKey", keys.current);
  member("expiringSdkKey", keys.former);
  if (keys.accepted.empty()) return;
  json.name("acceptedSdkKeys");
  json.open('[');
  for (const std::string& key : keys.accepted) json.text(obscured_key(key));
  json.close(']');
}

}  // namespace

std::string obscured_key(std::string_view key) {
  constexpr std::size_t kShownMax = 5;
  constexpr std::size_t kShareShown = 4;
  std::string shown;
  if (has_prefix(key)) {
    shown = key.substr(0, 4);
    key.remove_prefix(4);
  }
  const std::size_t hidden = key.size() - std::min(kShownMax, key.size() / kShareShown);
  for (std::size_t i = 0; i < key.size(); ++i) {
    shown += i < hidden && key[i] != '-' ? '*' : key[i];
  }
  return shown;
}

void LaunchDarklySdkStatus::add_routes(net::Router& router) {
  router.add<&LaunchDarklySdkStatus::status>(net::Method::kGet, "/status", *this);
}

std::string_view LaunchDarklySdkStatus::name_of(Connection connection) {
  switch (connection) {
    case Connection::kInitializing:
      return "INITIALIZING";
    case Connection::kValid:
      return "VALID";
    case Connection::kInterrupted:
      return "INTERRUPTED";
  }
  return {};
}

LaunchDarklySdkStatus::Connection LaunchDarklySdkStatus::connection_of(
    const cache::EnvironmentState& environment) {
  if (environment.snapshot == nullptr || !environment.complete) return Connection::kInitializing;
  return environment.stale ? Connection::kInterrupted : Connection::kValid;
}

void LaunchDarklySdkStatus::look() {
  const auto& environments = desk_.state->environments;
  for (std::size_t i = 0; i < environments.size(); ++i) {
    const Connection now = connection_of(environments[i]);
    Seen& seen = seen_[i];
    if (seen.since_unix_ms != 0 && seen.connection == now) continue;
    seen = {.connection = now, .since_unix_ms = unix_now_ms()};
  }
}

void LaunchDarklySdkStatus::status(const net::Request&, std::string_view, net::Response& response) {
  look();
  const cache::ServingState& state = *desk_.state;
  std::string& body = response.body();
  JsonWriter json(body);
  bool healthy = true;
  bool any = false;
  json.open('{');
  json.name("environments");
  json.open('{');
  for (std::size_t i = 0; i < state.environments.size(); ++i) {
    const cache::EnvironmentState& environment = state.environments[i];
    // Before it has data only its keys tell that it is there.
    const bool is_there = environment.snapshot != nullptr || has_keys(state.routes, i);
    if (!is_there || !is_launchdarkly(environment)) continue;
    any = true;
    healthy = append_environment(json, i) && healthy;
  }
  json.close('}');
  json.member("status", std::string_view(healthy ? "healthy" : "degraded"));
  json.member("version", version_);
  json.member("clientVersion", version_);
  json.close('}');
  if (any) return response.send(200, "application/json");
  body.clear();
  refuse_sdk(response, 404, "no environment of LaunchDarkly's is served here");
}

bool LaunchDarklySdkStatus::append_environment(JsonWriter& json, std::size_t index) const {
  const cache::EnvironmentState& environment = desk_.state->environments[index];
  const Seen& seen = seen_.at(index);
  const bool valid = seen.connection == Connection::kValid;
  const bool has_data = seen.connection != Connection::kInitializing;
  const bool lately = unix_now_ms() - seen.since_unix_ms < kDisconnectedAfterMs;
  const bool connected = valid || (has_data && lately);
  json.name(environment.name);
  json.open('{');
  if (has_keys(desk_.state->routes, index)) {
    append_keys(json, desk_.state->routes.credentials[index]);
  }
  json.member("status", std::string_view(connected ? "connected" : "disconnected"));
  json.name("connectionStatus");
  json.open('{');
  json.member("state", name_of(seen.connection));
  json.member("stateSince", seen.since_unix_ms);
  if (environment.last_failure_unix_ms != 0) {
    json.name("lastError");
    json.open('{');
    json.member("kind", relay_name(environment.last_failure_kind));
    json.member("time", environment.last_failure_unix_ms);
    json.close('}');
  }
  json.close('}');
  json.name("dataStoreStatus");
  json.open('{');
  json.member("state", std::string_view(has_data ? "VALID" : "INITIALIZING"));
  json.member("stateSince", has_data ? environment.changed_unix_ms : seen.since_unix_ms);
  json.member("database", std::string_view());
  json.close('}');
  json.close('}');
  return connected;
}

}  // namespace flagstone::sidecar
