// A file of the state, open for reading records where they lie.
//
// Owned by TextFiles; read by any thread at any time, without a lock.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace flagstone::cache {

enum class ReadOutcome : std::uint8_t {
  kDone,
  // Only of read_at_once(): the bytes are not in memory, and reading them would wait for the disk.
  kWouldWait,
  kFailed,  // The disk would not give them, or they are not there.
};

class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  // All of `to`, or not done.
  virtual ReadOutcome read(std::span<char> to, std::uint64_t offset) const = 0;
  virtual ReadOutcome read_at_once(std::span<char> to, std::uint64_t offset) const = 0;
};

}  // namespace flagstone::cache
