// From argc, argv and the environment to what the operator wants done.
//
// Called by `main` before any thread starts, and again with the same arguments for a reload. Reads
// the configuration file; prints nothing and never throws.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/default_paths.h"
#include "config/options.h"
#include "config/problem.h"

namespace flagstone::config {

struct StartCommand {
  Options options;
  std::string config_file;  // Empty: none. To be watched.
};
struct CheckCommand {
  Options options;  // Valid; the flag files are the caller's to check.
  std::string config_file;
};
struct EvaluateCommand {
  std::string key;
  std::string context_json = "{}";     // As typed; whoever answers judges it.
  std::vector<std::string> addresses;  // To be tried in this order: "unix:PATH", "HOST:PORT".
  SecretSource credential;             // Selects the environment; may be empty.
};
struct AcceptCommand {
  std::string environment;
  std::string admin;
};
enum class Probe : std::uint8_t { kStartup, kReady, kLive };
struct HealthCommand {
  Probe probe = Probe::kReady;
  std::string admin;
};
struct VersionCommand {};
struct HelpCommand {
  std::string text;
};

struct Command {
  std::variant<StartCommand, CheckCommand, EvaluateCommand, AcceptCommand, HealthCommand,
               VersionCommand, HelpCommand>
      action;
  std::vector<std::string> warnings;  // One line each, to be logged.
};

struct Problems {
  int exit_code = kExitUsage;
  std::vector<std::string> messages;  // One line each, every problem there is.
};

// All "NAME=value" of the process, as in `environ`.
using EnvironmentVariables = std::span<const std::string>;
std::vector<std::string> process_environment();

std::expected<Command, Problems> parse(int argc, const char* const* argv,
                                       EnvironmentVariables environment,
                                       const Surroundings& surroundings = real_surroundings());

}  // namespace flagstone::config
