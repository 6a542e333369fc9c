// How much memory a document may take while it arrives, and where the rest of it goes.
//
// A value of borrowed pointers; keeper's thread.
#pragma once

#include <algorithm>
#include <cstddef>

#include "cache/document_spool.h"
#include "cache/memory_budget.h"

namespace flagstone::upstream {

struct IncomingMemory {
  static constexpr std::size_t kShareOfLimit = cache::kSpoolShareOfLimit;

  // nullptr: nothing is counted, and nothing is too large for memory.
  cache::MemoryBudget* budget = nullptr;
  // nullptr: there is nowhere to spool to.
  cache::DocumentSpools* spools = nullptr;

  // REQUIRES: a budget.
  std::size_t share_bytes() const { return budget->limit_bytes() / kShareOfLimit; }
  // What has to be held as a whole before it can go on: one record, one event. A flag of more than
  // 1 MiB is quarantined, but still kept.
  std::size_t record_bytes_max() const {
    constexpr std::size_t kLeast = std::size_t{4} * 1024 * 1024;
    constexpr std::size_t kMost = std::size_t{16} * 1024 * 1024;
    return budget == nullptr ? kMost : std::clamp(budget->limit_bytes() / 4, kLeast, kMost);
  }
  // How much of a document may wait for the disk before its transfer is paused.
  std::size_t spool_waiting_bytes() const {
    constexpr std::size_t kLeast = std::size_t{512} * 1024;
    constexpr std::size_t kMost = std::size_t{4} * 1024 * 1024;
    return std::clamp(share_bytes() / 2, kLeast, kMost);
  }
  // How much of a file is read at a time.
  std::size_t file_piece_bytes() const {
    constexpr std::size_t kLeast = std::size_t{256} * 1024;
    constexpr std::size_t kMost = std::size_t{4} * 1024 * 1024;
    return std::clamp(share_bytes() / 4, kLeast, kMost);
  }
};

}  // namespace flagstone::upstream
