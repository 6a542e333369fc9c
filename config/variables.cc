// The half of layer.h that reads environment variables.
#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "config/layer.h"
#include "config/nearest_name.h"
#include "config/values.h"

namespace flagstone::config {
namespace {

constexpr std::string_view kPrefix = "FLAGSTONE_";
constexpr std::string_view kFlagdPrefix = "FLAGD_";

// What OpenFeature's flagd providers read: it is meant for the app that the variables are shared
// with.
constexpr std::array<std::string_view, 20> kClientVariables = {"FLAGD_HOST",
                                                               "FLAGD_TLS",
                                                               "FLAGD_RESOLVER",
                                                               "FLAGD_TARGET_URI",
                                                               "FLAGD_SOURCE_SELECTOR",
                                                               "FLAGD_PROVIDER_ID",
                                                               "FLAGD_CACHE",
                                                               "FLAGD_MAX_CACHE_SIZE",
                                                               "FLAGD_DEADLINE_MS",
                                                               "FLAGD_STREAM_DEADLINE_MS",
                                                               "FLAGD_RETRY_BACKOFF_MS",
                                                               "FLAGD_RETRY_BACKOFF_MAX_MS",
                                                               "FLAGD_RETRY_GRACE_PERIOD",
                                                               "FLAGD_KEEP_ALIVE_TIME_MS",
                                                               "FLAGD_MAX_EVENT_STREAM_RETRIES",
                                                               "FLAGD_OFFLINE_FLAG_SOURCE_PATH",
                                                               "FLAGD_OFFLINE_POLL_MS",
                                                               "FLAGD_FATAL_STATUS_CODES",
                                                               "FLAGD_DEFAULT_AUTHORITY",
                                                               "FLAGD_SYNC_METADATA_DISABLED"};

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c); });
}

// The names that Kubernetes gives every pod for a Service called `flagd` or `flagstone-…`:
// X_SERVICE_HOST, X_SERVICE_PORT[_NAME], X_PORT=tcp://…, X_PORT_8016_TCP[_PROTO|_PORT|_ADDR].
bool is_service_link(std::string_view name, std::string_view value) {
  if (name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT")) {
    return true;
  }
  if (name.ends_with("_PORT") && value.contains("://")) {
    return true;
  }
  for (const std::string_view protocol : {"_TCP", "_UDP", "_SCTP"}) {
    const std::size_t end = name.rfind(protocol);
    const std::size_t port = name.rfind("_PORT_", end);
    if (end != std::string_view::npos && port != std::string_view::npos &&
        is_number(name.substr(port + 6, end - port - 6))) {
      return true;
    }
  }
  return false;
}

const OptionRow* find_variable(std::string_view name) {
  const auto table = option_table();
  const auto found = std::ranges::find_if(table, [&](const OptionRow& row) {
    return name.starts_with(kPrefix) ? row.variable == name : flagd_variable(row) == name;
  });
  return found == table.end() ? nullptr : &*found;
}

bool has_prefix(std::string_view name) {
  return name.starts_with(kPrefix) || name.starts_with(kFlagdPrefix);
}

// "NAME=value" as two; a name without `=` has an empty value.
std::pair<std::string_view, std::string_view> split_variable(std::string_view text) {
  const std::size_t equals = text.find('=');
  return equals == std::string_view::npos
             ? std::pair(text, std::string_view())
             : std::pair(text.substr(0, equals), text.substr(equals + 1));
}

}  // namespace

Layer read_variables(std::span<const std::string> environment) {
  Layer layer;
  for (const std::string& text : environment) {
    const auto [name, value] = split_variable(text);
    const OptionRow* row = has_prefix(name) ? find_variable(name) : nullptr;
    if (row == nullptr || value.empty() || is_service_link(name, value)) {
      continue;
    }
    const bool is_ours = name.starts_with(kPrefix);
    if (!is_ours && layer.contains(row)) {
      continue;
    }
    std::vector<std::string> items = {std::string(value)};
    if (is_list(*row)) {
      items = is_ours ? split_list(value) : split_words(value);
    }
    layer[row] = {
        .items = std::move(items),
        .origin = {.kind = Origin::Kind::kVariable, .name = std::string(name), .line = 0}};
  }
  return layer;
}

std::vector<std::string> unknown_variables(std::span<const std::string> environment,
                                           std::span<const std::string> named_by_options) {
  // Compared without the prefix that they all share, which would make strangers look alike.
  std::vector<std::string_view> ours;
  std::vector<std::string> flagds;
  for (const OptionRow& row : option_table()) {
    if (!row.variable.empty()) {
      ours.push_back(row.variable.substr(kPrefix.size()));
    }
    if (!row.flagd.empty()) {
      flagds.push_back(flagd_variable(row).substr(kFlagdPrefix.size()));
    }
  }
  const std::vector<std::string_view> of_flagd(flagds.begin(), flagds.end());
  std::vector<std::string> warnings;
  for (const std::string& text : environment) {
    const auto [name, value] = split_variable(text);
    if (!has_prefix(name) || is_service_link(name, value) || find_variable(name) != nullptr ||
        std::ranges::find(kClientVariables, name) != kClientVariables.end() ||
        std::ranges::find(named_by_options, name) != named_by_options.end()) {
      continue;
    }
    const bool is_ours = name.starts_with(kPrefix);
    const std::string_view prefix = is_ours ? kPrefix : kFlagdPrefix;
    const std::string_view nearest =
        nearest_name(name.substr(prefix.size()), is_ours ? ours : of_flagd);
    warnings.push_back(
        "unknown variable " + std::string(name) + " is ignored" +
        (nearest.empty() ? std::string()
                         : ", did you mean `" + std::string(prefix) + std::string(nearest) + "`?"));
  }
  std::ranges::sort(warnings);
  return warnings;
}

}  // namespace flagstone::config
