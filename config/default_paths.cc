#include "config/default_paths.h"

#include <unistd.h>

#include <filesystem>
#include <utility>

#include "config/flagd_mode.h"

namespace flagstone::config {
namespace {

constexpr std::string_view kStateDir = "/var/lib/flagstone";
constexpr std::string_view kSocketDir = "/run/flagstone";

bool is_writable_folder(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error) && access(path.c_str(), W_OK) == 0;
}

bool folder_can_be_written(const std::string& folder) {
  std::error_code error;
  return std::filesystem::exists(folder, error)
             ? is_writable_folder(folder)
             : is_writable_folder(std::filesystem::path(folder).parent_path());
}

// The value of a variable that must hold an absolute path (the XDG specification says to ignore
// others), else empty.
std::string absolute_path(const Variables& variable, std::string_view name) {
  std::optional<std::string> value = variable(name);
  return value && value->starts_with('/') ? *std::move(value) : std::string();
}

}  // namespace

Surroundings real_surroundings() {
  return {.can_write = folder_can_be_written, .variable = process_variable};
}

std::string default_state_dir(const Surroundings& surroundings) {
  if (surroundings.can_write(std::string(kStateDir))) {
    return std::string(kStateDir);
  }
  if (const std::string base = absolute_path(surroundings.variable, "XDG_STATE_HOME");
      !base.empty()) {
    return base + "/flagstone";
  }
  if (const std::string home = absolute_path(surroundings.variable, "HOME"); !home.empty()) {
    return home + "/.local/state/flagstone";
  }
  return std::string(kStateDir);
}

std::string state_dir(const Options& options, const Surroundings& surroundings) {
  return options.state.dir.empty() ? default_state_dir(surroundings) : options.state.dir;
}

std::string default_socket_path(const Surroundings& surroundings) {
  const std::string preferred = std::string(kSocketDir) + "/flagstone.sock";
  if (surroundings.can_write(std::string(kSocketDir))) {
    return preferred;
  }
  const std::string base = absolute_path(surroundings.variable, "XDG_RUNTIME_DIR");
  return base.empty() ? preferred : base + "/flagstone.sock";
}

std::vector<ListenAddress> listen_addresses(const Options& options,
                                            const Surroundings& surroundings) {
  std::vector<ListenAddress> addresses;
  for (FlagdListener& listener : flagd_listeners(options)) {
    addresses.push_back({.address = std::move(listener.address), .environment = {}});
  }
  for (const std::string& address : options.listen) {
    addresses.push_back({.address = address, .environment = {}});
  }
  for (const Environment& environment : options.environments) {
    for (const std::string& address : environment.listen) {
      addresses.push_back({.address = address, .environment = environment.name});
    }
  }
  if (addresses.empty()) {
    addresses.push_back({.address = "unix:" + default_socket_path(surroundings),
                         .environment = {},
                         .required = false});
    addresses.push_back({.address = std::string(kDefaultTcpListener), .environment = {}});
  }
  return addresses;
}

}  // namespace flagstone::config
