// The half of layer.h that reads environment variables.
#include <algorithm>
#include <cctype>

#include "config/layer.h"
#include "config/nearest_name.h"
#include "config/values.h"

namespace flagstone::config {
namespace {

constexpr std::string_view kPrefix = "FLAGSTONE_";

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c); });
}

// The names that Kubernetes gives every pod for a Service called `flagstone` or `flagstone-…`:
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
  const auto found = std::ranges::find(table, name, &OptionRow::variable);
  return found == table.end() ? nullptr : &*found;
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
    const OptionRow* row = name.starts_with(kPrefix) ? find_variable(name) : nullptr;
    if (row == nullptr || value.empty()) {
      continue;
    }
    layer[row] = {
        .items = is_list(*row) ? split_list(value) : std::vector{std::string(value)},
        .origin = {.kind = Origin::Kind::kVariable, .name = std::string(name), .line = 0}};
  }
  return layer;
}

std::vector<std::string> unknown_variables(std::span<const std::string> environment,
                                           std::span<const std::string> named_by_options) {
  // Compared without the prefix that they all share, which would make strangers look alike.
  std::vector<std::string_view> known;
  for (const OptionRow& row : option_table()) {
    if (!row.variable.empty()) {
      known.push_back(row.variable.substr(kPrefix.size()));
    }
  }
  std::vector<std::string> warnings;
  for (const std::string& text : environment) {
    const auto [name, value] = split_variable(text);
    const bool is_ours = name.starts_with(kPrefix) && !is_service_link(name, value);
    if (is_ours && find_variable(name) == nullptr &&
        std::ranges::find(named_by_options, name) == named_by_options.end()) {
      const std::string_view nearest = nearest_name(name.substr(kPrefix.size()), known);
      warnings.push_back("unknown variable " + std::string(name) + " is ignored" +
                         (nearest.empty() ? std::string()
                                          : ", did you mean `" + std::string(kPrefix) +
                                                std::string(nearest) + "`?"));
    }
  }
  std::ranges::sort(warnings);
  return warnings;
}

}  // namespace flagstone::config
