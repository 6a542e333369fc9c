// The daemon: everything that runs, wired by hand, from bound listeners to the last drained
// request.
//
// Made and run by `main`, once per process, on the thread that becomes the keeper.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "config/command_line.h"
#include "sidecar/vendors.h"

namespace spdlog {
class logger;
}

namespace flagstone::sidecar {

// Reads the configuration again, as at start, for a reload.
using ReadConfiguration = std::function<std::expected<config::Command, config::Problems>()>;

struct DaemonSetup {
  config::StartCommand command;
  std::span<const Vendor> vendors;
  ReadConfiguration read_again;
  std::shared_ptr<spdlog::logger> log;
};

// Runs until a signal ends it; returns the process's exit code. Fails at once, with a line in the
// log, only when an explicit listener cannot be bound or a TLS file cannot be read
// (kExitUnavailable), or what is in it cannot be used (kExitContent).
int run_daemon(DaemonSetup setup);

}  // namespace flagstone::sidecar
