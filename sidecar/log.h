// The daemon's log: one line each on stderr, text or JSON.
//
// Set up once by `main`; the returned logger is handed to who needs it. Thread-safe. Control
// characters in messages are escaped, so that a flag key or header cannot forge a line.
#pragma once

#include <memory>

#include "config/options.h"

namespace spdlog {
class logger;
}

namespace flagstone::sidecar {

std::shared_ptr<spdlog::logger> make_logger(config::LogLevel level, config::LogFormat format);
void set_level(spdlog::logger& logger, config::LogLevel level);

}  // namespace flagstone::sidecar
