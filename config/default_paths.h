// Where things go when the operator says nothing. Pure functions; what they ask of the machine is
// handed in.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/options.h"

namespace flagstone::config {

struct Surroundings {
  // Whether files can be made in this folder: it is writable, or absent and its parent is.
  std::function<bool(const std::string& folder)> can_write;
  Variables variable;
};
Surroundings real_surroundings();

// `/var/lib/flagstone` if writable, else `$XDG_STATE_HOME/flagstone`, else
// `~/.local/state/flagstone`. The folder need not exist yet.
std::string default_state_dir(const Surroundings& surroundings);
// What the operator wrote, else the default.
std::string state_dir(const Options& options, const Surroundings& surroundings);

// `/run/flagstone/flagstone.sock`, else `$XDG_RUNTIME_DIR/flagstone.sock`. The folder need not
// exist yet.
std::string default_socket_path(const Surroundings& surroundings);

struct ListenAddress {
  std::string address;      // "unix:PATH", "HOST:PORT" or "tls:HOST:PORT".
  std::string environment;  // Only this one is answered here; empty: all.
  bool required = true;     // false: when it cannot be bound, warn and go on.
  bool operator==(const ListenAddress&) const = default;
};

// Every address to serve on, the admin's not included. Any `listen`, an environment's too, or flagd
// mode replaces both defaults; flagd mode and `listen` add up.
std::vector<ListenAddress> listen_addresses(const Options& options,
                                            const Surroundings& surroundings);

}  // namespace flagstone::config
