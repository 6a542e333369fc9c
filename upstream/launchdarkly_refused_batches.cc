#include "upstream/launchdarkly_refused_batches.h"

#include <optional>

namespace flagstone::upstream::launchdarkly {

bool RefusedBatches::is_refused_for_good(const BatchName& name, TimePoint now) {
  for (std::optional<BatchName> whole = name; whole; whole = whole->whole()) {
    const auto found = since_.find(*whole);
    if (found != since_.end()) return now - found->second >= kPatience;
  }
  if (since_.size() >= kRefusedMax) since_.erase(since_.begin());
  since_.emplace(name, now);
  return false;
}

void RefusedBatches::put_behind(const BatchName& name, std::uint64_t tried) {
  if (behind_.size() >= kRefusedMax) behind_.erase(behind_.begin());
  behind_[name] = tried;
}

void RefusedBatches::clear() {
  since_.clear();
  behind_.clear();
}

}  // namespace flagstone::upstream::launchdarkly
