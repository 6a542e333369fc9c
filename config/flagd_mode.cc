#include "config/flagd_mode.h"

#include <algorithm>

#include "config/address.h"

namespace flagstone::config {
namespace {

constexpr std::string_view kLoopback = "127.0.0.1";
// IPv4 too, where the system has both.
constexpr std::string_view kAllInterfaces = "[::]";
constexpr std::string_view kManagement = "flagd.management_port";

// Whether `first` was written at a place that goes before the other's, or at the same. What was
// written nowhere goes before nothing.
bool goes_before(const Options& options, std::string_view first, std::string_view other) {
  const Origin::Kind kind = options.origins.find(first).kind;
  return kind != Origin::Kind::kDefault && kind >= options.origins.find(other).kind;
}

void finish_admin(Options& options, ProblemList& problems) {
  const Origin management = options.origins.find(kManagement);
  if (goes_before(options, "admin", kManagement)) {
    if (management.kind == Origin::Kind::kOption) {
      problems.push_back({.where = to_string(management),
                          .message = "is flagd's name for `--admin`, keep one of them",
                          .exit_code = kExitUsage});
    }
    return;
  }
  const FlagdMode& flagd = options.flagd;
  options.admin = tcp_address(flagd.bind.empty() ? std::string(kAllInterfaces) : flagd.bind,
                              flagd.management_port);
  if (management.kind != Origin::Kind::kDefault) {
    options.origins.by_path["admin"] = management;
  } else {
    options.origins.by_path.erase("admin");
  }
}

bool uses_tls(const Options& options) {
  const auto any_tls = [](const std::vector<std::string>& addresses) {
    return std::ranges::any_of(addresses, is_tls_address);
  };
  return options.flagd.on || any_tls(options.listen) ||
         std::ranges::any_of(options.environments,
                             [&](const Environment& e) { return any_tls(e.listen); });
}

}  // namespace

std::vector<FlagdListener> flagd_listeners(const Options& options) {
  std::vector<FlagdListener> listeners;
  const FlagdMode& flagd = options.flagd;
  if (!flagd.on) {
    return listeners;
  }
  const std::string host = flagd.bind.empty() ? std::string(kLoopback) : flagd.bind;
  const std::string tls = options.tls.certificate_file.empty() ? "" : "tls:";
  listeners.push_back({.path = "flagd.port", .address = tls + tcp_address(host, flagd.port)});
  listeners.push_back(
      {.path = "flagd.sync_port", .address = tls + tcp_address(host, flagd.sync_port)});
  listeners.push_back({.path = "flagd.ofrep_port", .address = tcp_address(host, flagd.ofrep_port)});
  if (!flagd.socket_path.empty()) {
    listeners.push_back({.path = "flagd.socket_path", .address = "unix:" + flagd.socket_path});
  }
  if (!flagd.sync_socket_path.empty()) {
    listeners.push_back(
        {.path = "flagd.sync_socket_path", .address = "unix:" + flagd.sync_socket_path});
  }
  return listeners;
}

void finish_flagd_mode(Options& options, ProblemList& problems) {
  if (options.flagd.debug && !goes_before(options, "log_level", "flagd.debug")) {
    options.log_level = LogLevel::kDebug;
  }
  if (options.flagd.disable_sync_metadata &&
      !goes_before(options, "sync_metadata", "flagd.disable_sync_metadata")) {
    options.sync_metadata = false;
  }
  if (options.flagd.on) {
    finish_admin(options, problems);
  }
}

std::vector<std::string> flagd_mode_warnings(const Options& options) {
  std::vector<std::string> warnings;
  const auto warn = [&](std::string_view path, const std::string& message) {
    warnings.push_back(to_string(options.origins.find(path)) + ": " + message);
  };
  if (!options.flagd.bind.empty() && !options.flagd.on) {
    warn("bind", "`bind` is ignored, it is for flagd's ports and none of them is used");
  }
  if (!options.tls.certificate_file.empty() && !uses_tls(options)) {
    warn("tls.certificate_file", "the certificate is not used, no address begins with `tls:`");
  }
  return warnings;
}

std::string reachable_admin(const Options& options) {
  // Where IPv6 is missing, the daemon listens on all interfaces of IPv4.
  if (options.flagd.on && options.admin.starts_with(kAllInterfaces)) {
    return std::string(kLoopback) + options.admin.substr(kAllInterfaces.size());
  }
  return reachable_address(options.admin);
}

}  // namespace flagstone::config
