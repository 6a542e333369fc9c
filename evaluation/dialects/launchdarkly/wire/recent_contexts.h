// Which contexts were told of lately, so that an index event is sent once for each: the 1,000 used
// last, forgotten together every five minutes, as LaunchDarkly's SDKs do it.
//
// One thread. All its memory is there from the beginning; nothing fails. So it is for serving
// threads, which IndexWindow (event_batch.h), that forgets by age and knows contents, is not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace flagstone::evaluation::launchdarkly {

class RecentContexts {
 public:
  static constexpr std::size_t kContextsMax = 1000;
  static constexpr std::int64_t kWindowMs = 300'000;

  RecentContexts() { forget(); }

  // True when it was not there. By EventContext::key_hash().
  bool add(std::uint64_t hash, std::int64_t unix_ms);

 private:
  using Index = std::uint16_t;
  static constexpr Index kNone = 0xFFFF;
  static constexpr std::size_t kBuckets = 1024;
  struct Node {
    std::uint64_t hash = 0;
    Index newer = kNone;
    Index older = kNone;
    Index next = kNone;  // in its bucket
  };

  void forget();
  void take_out(Index index);
  void put_first(Index index);
  void leave_bucket(Index index);
  Index& bucket_of(std::uint64_t hash) { return buckets_[hash >> 54]; }

  std::array<Node, kContextsMax> nodes_;
  std::array<Index, kBuckets> buckets_;
  std::size_t count_ = 0;
  Index newest_ = kNone;
  Index oldest_ = kNone;
  std::int64_t since_unix_ms_ = 0;
};

}  // namespace flagstone::evaluation::launchdarkly
