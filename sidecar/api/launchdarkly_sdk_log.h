// What changed in one environment, for SDKs that were told an earlier state of it: a bounded log of
// changes, and what of them is left between one of its states and the newest.
//
// A value: keys and numbers, no texts, independent of snapshots; one thread. States are named by
// the environment's generation (cache/serving_state.h) at which they were published. Bounded in
// changes and bytes; what is older is forgotten, and who is there has to be told everything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "evaluation/record.h"

namespace flagstone::sidecar {

// What identifies a flag's or segment's content.
struct SdkContent {
  std::int64_t version = 0;
  std::uint64_t text_hash = 0;

  friend bool operator==(const SdkContent&, const SdkContent&) = default;
};

struct SdkChange {
  evaluation::RecordKind kind{};
  std::string key;
  // nullopt: it was not there, or is not any more.
  std::optional<SdkContent> before;
  std::optional<SdkContent> after;
  // Of what it is now; of a deletion, greater than what was there.
  std::int64_t version = 0;
};

class SdkChangeLog {
 public:
  static constexpr std::size_t kChangesMax = 10'000;
  static constexpr std::size_t kBytesMax = std::size_t{1} << 20;

  // Of everything before nothing is known.
  void begin(std::uint64_t generation);
  // By these changes the newest state became that of `generation`. With `needs_put` those SDKs that
  // compare versions would not take them and have to be told everything.
  void add(std::uint64_t generation, std::vector<SdkChange> changes, bool needs_put);

  std::uint64_t newest() const { return newest_; }
  bool knows(std::uint64_t generation) const;

  struct Since {
    // Net: what came and went meanwhile is not in it.
    std::vector<const SdkChange*> changes;
    bool needs_put = false;
  };
  // REQUIRES: knows(generation). The changes are the log's and live until the next add().
  Since since(std::uint64_t generation) const;

  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return count_; }

 private:
  struct Step {
    std::uint64_t generation = 0;
    bool needs_put = false;
    std::vector<SdkChange> changes;
  };

  static std::size_t bytes_of(const SdkChange& change) {
    return sizeof(SdkChange) + change.key.capacity();
  }
  void forget_first();

  std::uint64_t base_ = 0;
  std::uint64_t newest_ = 0;
  std::deque<Step> steps_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace flagstone::sidecar
