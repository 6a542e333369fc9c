// What a spool says of itself: counts that grow, and how things are now.
//
// A value; written by the spool and its store of batches on the writer's thread, copied for others.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "cache/file_system.h"
#include "upstream/event_forwarder.h"

namespace flagstone::upstream::launchdarkly {

struct SpoolFacts {
  // Counts of events.
  std::uint64_t received = 0;
  std::uint64_t merged_away = 0;
  std::uint64_t sent = 0;
  std::array<std::uint64_t, kDropReasonNames.size()> dropped{};
  // As of now.
  std::size_t batches = 0;
  std::uint64_t disk_bytes = 0;
  std::uint64_t memory_bytes = 0;
  // When the oldest came that waits, on the clock of the calls; of those that an earlier process
  // left, when they were found.
  std::optional<std::int64_t> oldest_ms;
  bool is_empty = true;  // Nothing is there that is not sealed.
  bool wants_seal = false;
  // Why the disk took nothing; empty while it does.
  std::string problem;

  void count_dropped(DropReason reason, std::uint64_t events) {
    dropped[static_cast<std::size_t>(reason)] += events;
  }
  void note_problem(const cache::FileError& error) { problem = describe(error); }
};

}  // namespace flagstone::upstream::launchdarkly
