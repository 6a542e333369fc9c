// What flagd mode makes of the options: its addresses, and flagd's other names for options of ours.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "config/problem.h"

namespace flagstone::config {

struct FlagdListener {
  std::string_view path;  // "flagd.sync_port", as in Origins.
  std::string address;
};
// Where flagd mode serves: evaluation, sync and OFREP ports, then the sockets. With a certificate
// the first two speak TLS, as in flagd. Empty when it is off.
std::vector<FlagdListener> flagd_listeners(const Options& options);

// Writes what flagd's options say to the options they are other names of (`admin`, `log_level`,
// `sync_metadata`), unless those were written themselves at a place that goes before. Once, when
// all options were applied.
void finish_flagd_mode(Options& options, ProblemList& problems);

// What was written and has nothing to act on.
std::vector<std::string> flagd_mode_warnings(const Options& options);

// Where a client on this machine reaches the admin address.
std::string reachable_admin(const Options& options);

}  // namespace flagstone::config
