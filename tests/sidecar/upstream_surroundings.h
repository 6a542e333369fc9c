// What sources and credentials borrow from the daemon, without a daemon. Nothing goes to a network.
#pragma once

#include "net/loop.h"
#include "net/resolver.h"
#include "net/timer.h"
#include "sidecar/disk_reader.h"
#include "sidecar/disk_thread.h"
#include "upstream/clock.h"
#include "upstream/http_client.h"
#include "upstream/source_environment.h"

namespace flagstone::sidecar {

struct UpstreamSurroundings {
  upstream::SourceEnvironment environment() {
    return {.loop = loop, .http = http, .files = files, .clock = clock, .random = random};
  }
  // Runs the loop until `done`; a test that never gets there is ended by its time limit.
  void run_until(const std::function<bool()>& done) {
    net::Timer look(loop, [this] { loop.stop(); });
    look.start_repeating(1, 1);
    while (!done()) loop.run();
  }

  net::Loop loop;
  DiskThread writer;
  DiskThread reader;
  DiskReader files{loop, writer};
  net::Resolver resolver{loop};
  upstream::HttpClient http{loop, resolver, {}};
  upstream::SystemClock clock;
  upstream::SystemRandom random;
};

}  // namespace flagstone::sidecar
