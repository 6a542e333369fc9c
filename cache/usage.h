// How often each flag is asked for, when first and last, and which keys are asked for that do not
// exist.
//
// UsageCounters belongs to one serving thread and one environment: that thread counts, without
// lock or read-modify-write, and the keeper reads and grows. UsageTotals is the keeper's sum.
// Nothing fails: what does not fit is not counted, and that is counted.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/snapshot.h"

namespace flagstone::cache {

// Flags that had to be decoded for an answer, by RecordIndex::hash_of() their ids: one thread puts
// them in, the keeper takes them out. When it is full they are dropped; they will be asked for
// again.
class EncodedRing {
 public:
  static constexpr std::size_t kFlags = 1024;

  void put(std::uint64_t hash);
  void drain(const std::function<void(std::uint64_t hash)>& each);

 private:
  std::array<std::atomic<std::uint64_t>, kFlags> hashes_{};
  std::atomic<std::size_t> written_{0};
  std::atomic<std::size_t> read_{0};
};

class UsageCounters {
 public:
  static constexpr std::size_t kCountersPerChunk = 512;
  static constexpr std::size_t kChunksMax = 2048;  // 1,048,576 flags
  static constexpr std::size_t kUnknownRingBytes = 16 * 1024;
  static constexpr std::size_t kUnknownKeyBytesMax = 256;

  UsageCounters();
  ~UsageCounters();
  UsageCounters(const UsageCounters&) = delete;
  UsageCounters& operator=(const UsageCounters&) = delete;

  // The serving thread:
  void count(std::uint32_t flag_id);
  // A key that no flag has, in UTF-8. Longer ones are cut between two characters; when the ring is
  // full it is dropped, and that is counted.
  void count_unknown(std::string_view key);

  // The keeper:
  // Room for ids below `limit`. Before the snapshot that has them is published.
  void grow(std::uint32_t limit);
  // What was counted since the last drain.
  void drain(const std::function<void(std::uint32_t flag_id, std::uint32_t count)>& flag,
             const std::function<void(std::string_view key)>& unknown);
  // Unknown keys dropped because the ring was full, since this was last asked.
  std::uint64_t drain_dropped();
  std::size_t bytes() const;

  // Flags that were encoded when they were asked for by name, and when a bulk answer came by.
  EncodedRing encoded_asked;
  EncodedRing encoded_in_bulk;

 private:
  struct Chunk {
    std::array<std::atomic<std::uint32_t>, kCountersPerChunk> counts{};
    // The keeper's alone.
    std::array<std::uint32_t, kCountersPerChunk> drained{};
  };
  std::array<std::atomic<Chunk*>, kChunksMax> chunks_{};
  std::size_t chunk_count_ = 0;  // the keeper's

  // One writer, one reader: bytes written and read so far; each key after its length in 2 bytes.
  std::unique_ptr<char[]> ring_;
  std::atomic<std::size_t> ring_written_{0};
  std::atomic<std::size_t> ring_read_{0};
  // The serving thread alone writes it.
  std::atomic<std::uint64_t> ring_dropped_{0};
  std::uint64_t ring_dropped_drained_ = 0;  // the keeper's
};

struct Usage {
  std::uint64_t count = 0;
  // Wall time; 0: never.
  std::int64_t first_asked_unix_ms = 0;
  std::int64_t last_asked_unix_ms = 0;
};

// One environment's sums, by flag.
class UsageTotals {
 public:
  static constexpr std::size_t kUnknownKeysMax = 1000;
  // Remembered from the state for flags that have not come back yet.
  static constexpr std::size_t kWaitingMax = 20'000;
  using UnknownKeys = std::map<std::string, Usage, std::less<>>;
  // Who evaluates the environment's flags.
  enum class Evaluated : std::uint8_t { kHere, kHereOrInApps };

  explicit UsageTotals(Evaluated evaluated = Evaluated::kHere) : evaluated_(evaluated) {}

  // Adds what one serving thread counted since the last time.
  void drain(UsageCounters& counters, std::int64_t now_unix_ms);
  // Gives flags their sums from the state. After restore(), and whenever flags came in.
  void adopt(const Snapshot& snapshot);
  Usage of(std::uint32_t flag_id) const;
  const UnknownKeys& unknown() const { return unknown_; }
  // What the sums take.
  std::size_t bytes() const;
  // Times an unknown key was asked for and is not in unknown(): there were kUnknownKeysMax already,
  // or its thread's ring was full.
  std::uint64_t unknown_dropped() const { return unknown_dropped_; }

  // Apps fetched all flags and evaluate them themselves: what they ask for is not counted here,
  // then or later, so that no flag is known to be asked for by nobody. Nothing where only we do.
  void note_evaluated_in_apps() { evaluated_in_apps_ = may_be_evaluated_in_apps(); }
  bool may_be_evaluated_in_apps() const { return evaluated_ == Evaluated::kHereOrInApps; }
  bool evaluated_in_apps() const { return evaluated_in_apps_; }

  // For the state directory's named blobs. The flags of the snapshot, those still waiting, and the
  // unknown keys.
  std::string serialise(const Snapshot* snapshot) const;
  // Those may be of a time with another dialect, whose apps say nothing of these flags. False when
  // the bytes are none of ours; then nothing is taken.
  bool restore(std::string_view bytes);

 private:
  void make_room_for(std::uint32_t flag_id);
  void note_unknown(std::string_view key, std::int64_t now_unix_ms);

  std::vector<Usage> by_flag_;
  std::map<std::pair<std::string, std::string>, Usage> waiting_;
  UnknownKeys unknown_;
  std::uint64_t unknown_dropped_ = 0;
  const Evaluated evaluated_;
  bool evaluated_in_apps_ = false;
};

}  // namespace flagstone::cache
