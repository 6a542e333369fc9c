// The commands that are over at once: they read files or ask a running Flagstone, print, and end.
//
// Functions called by `main`, in a process of their own; each returns the exit code. What they
// print to stdout is the answer, stderr says what went wrong.
#pragma once

#include <span>
#include <string_view>

#include "config/command_line.h"
#include "sidecar/vendors.h"

namespace flagstone::sidecar {

// sysexits.h: EX_UNAVAILABLE, something we need (a listener, a running daemon) is not to be had.
inline constexpr int kExitUnavailable = 69;

// Every problem in the flag files, bootstraps and pins, with file:line, and every credential that
// cannot be read. 0 or kExitContent.
int run_check(const config::CheckCommand& command, std::span<const Vendor> vendors);
// The OFREP answer of a running Flagstone. 0, 1 when the evaluation is an error.
int run_evaluate(const config::EvaluateCommand& command);
// Lets the document that the shrink guard holds pass.
int run_accept(const config::AcceptCommand& command);
// A Kubernetes probe. 0 or 1.
int run_health(const config::HealthCommand& command);
int run_version();

// The version that `flagstone version`, /status and the User-Agent name.
std::string_view version();

}  // namespace flagstone::sidecar
