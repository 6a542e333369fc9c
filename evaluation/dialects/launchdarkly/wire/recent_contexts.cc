#include "evaluation/dialects/launchdarkly/wire/recent_contexts.h"

namespace flagstone::evaluation::launchdarkly {

bool RecentContexts::add(std::uint64_t hash, std::int64_t unix_ms) {
  // A clock that was set back begins a new window too.
  if (unix_ms - since_unix_ms_ >= kWindowMs || unix_ms < since_unix_ms_) {
    forget();
    since_unix_ms_ = unix_ms;
  }
  for (Index at = bucket_of(hash); at != kNone; at = nodes_[at].next) {
    if (nodes_[at].hash != hash) continue;
    if (at != newest_) {
      take_out(at);
      put_first(at);
    }
    return false;
  }
  Index index = oldest_;
  if (count_ < kContextsMax) {
    index = static_cast<Index>(count_++);
  } else {
    take_out(index);
    leave_bucket(index);
  }
  nodes_[index].hash = hash;
  Index& bucket = bucket_of(hash);
  nodes_[index].next = bucket;
  bucket = index;
  put_first(index);
  return true;
}

void RecentContexts::forget() {
  buckets_.fill(kNone);
  count_ = 0;
  newest_ = oldest_ = kNone;
}

void RecentContexts::take_out(Index index) {
  const Node& node = nodes_[index];
  (node.newer == kNone ? newest_ : nodes_[node.newer].older) = node.older;
  (node.older == kNone ? oldest_ : nodes_[node.older].newer) = node.newer;
}

void RecentContexts::put_first(Index index) {
  Node& node = nodes_[index];
  node.newer = kNone;
  node.older = newest_;
  if (newest_ != kNone) nodes_[newest_].newer = index;
  newest_ = index;
  if (oldest_ == kNone) oldest_ = index;
}

void RecentContexts::leave_bucket(Index index) {
  Index* at = &bucket_of(nodes_[index].hash);
  while (*at != index) at = &nodes_[*at].next;
  *at = nodes_[index].next;
}

}  // namespace flagstone::evaluation::launchdarkly
