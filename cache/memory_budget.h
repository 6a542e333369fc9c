// How many bytes each part of Flagstone holds, and the one limit over all of them.
//
// One per daemon; it outlives every snapshot. The keeper alone reserves; parts owned by serving
// threads are reported in as numbers with set(). The numbers are relaxed atomics so that anybody
// may read them. try_reserve() is the only thing that may fail: then the update is refused.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flagstone::cache {

enum class MemoryPart : std::uint8_t {
  kIndex,        // Pages and directories of all snapshots, and the entries' own bookkeeping.
  kCompiled,     // Rules ready to run.
  kVendorBytes,  // Keys and the vendor's own text, not in a file.
  kUpdates,      // Documents being taken in, until their last record is.
  kPrepared,     // Bodies prepared for serving.
  kStreams,      // Queues of streams and events.
  kConnections,  // Buffers of connections.
  kUsage,        // Usage counters and unknown keys.
  kContext,      // Parsers, arenas and scratch of the serving threads.
  kState,        // The state directory, when it lies on tmpfs.
};
inline constexpr std::size_t kMemoryPartCount = 10;

// "index", "compiled", ...: as metrics and status name it.
std::string_view memory_part_name(MemoryPart part);

class MemoryBudget {
 public:
  static constexpr std::size_t kUnlimitedBytes = SIZE_MAX;

  explicit MemoryBudget(std::size_t limit_bytes = kUnlimitedBytes) : limit_bytes_(limit_bytes) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // True when that many more bytes stay within the limit.
  [[nodiscard]] bool fits(std::size_t bytes) const;
  // How many more do.
  std::size_t free_bytes() const;
  // Takes `bytes` for `part`, or takes nothing and answers false when they do not fit.
  [[nodiscard]] bool try_reserve(MemoryPart part, std::size_t bytes);
  // Takes them whether they fit or not: for what has been allocated already and is soon to be
  // given back, or cannot be refused.
  void add(MemoryPart part, std::size_t bytes);
  // Gives back what try_reserve() or add() took.
  void release(MemoryPart part, std::size_t bytes);
  // Reports a part that somebody else counts.
  void set(MemoryPart part, std::size_t bytes);

  std::size_t used_bytes(MemoryPart part) const;
  std::size_t used_bytes() const;
  std::size_t limit_bytes() const { return limit_bytes_.load(std::memory_order_relaxed); }
  // A lower limit refuses new updates; it throws nothing out.
  void set_limit_bytes(std::size_t bytes) { limit_bytes_.store(bytes, std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> limit_bytes_;
  std::array<std::atomic<std::size_t>, kMemoryPartCount> used_{};
};

}  // namespace flagstone::cache
