// One run of load: N connections that each send a prepared request, wait for the whole answer and
// send the next, on one thread with epoll; or, at a given rate, send when one is due and a
// connection is free. It must be cheaper than any server it measures, so it does per answer one
// recv, one send and one reading of the clock, and little else.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "tests/bench/latency_histogram.h"
#include "tests/bench/process_cpu.h"
#include "tests/bench/request_sequence.h"

namespace flagstone::bench {

struct LoadOptions {
  std::string target;        // HOST:PORT or unix:PATH
  RequestSequence requests;  // the exact bytes, header and body
  unsigned connections = 1;
  double rate = 0;               // requests a second, over all connections; 0: as many as it gets
  double warm_up_seconds = 0.5;  // answers in it are not counted
  double seconds = 3;            // of the measured window
  std::uint64_t answers = 0;     // ends the window earlier; 0: only the time does
  pid_t server_pid = 0;          // whose CPU to account; 0: nobody's
  bool sleep = false;  // sleep in epoll_wait instead of asking again at once; not with a rate
};

struct LoadResult {
  LatencyHistogram latency;  // at a rate: from the moment the request was due
  double seconds = 0;        // the window as it was
  std::uint64_t bytes_read = 0;
  std::uint64_t errors = 0;  // statuses other than 200, broken connections
  std::string first_error;
  std::uint64_t overdue = 0;     // at a rate: requests that were due in the end and not even sent
  double client_busy_share = 0;  // of the client's core; near 1 only says something with `sleep`
  std::optional<ProcessCpu> server_cpu;  // used in the window
};

// Blocks until the window is over; goes through `options.requests`. Fails when the target cannot be
// reached or breaks too many connections.
std::expected<LoadResult, std::string> run_load(LoadOptions& options);

}  // namespace flagstone::bench
