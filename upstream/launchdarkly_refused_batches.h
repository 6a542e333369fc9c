// Batches that upstream was there to take and did not: since when each is refused, and which stand
// behind the others for it.
//
// A member of the forwarder, on the keeper's loop. It remembers kRefusedMax of either; beyond that
// the lowest name is forgotten. Nothing fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "upstream/backoff.h"
#include "upstream/launchdarkly_batch_name.h"

namespace flagstone::upstream::launchdarkly {

class RefusedBatches {
 public:
  // A 400 is believed after so long: who stands between may say so of everything, for a while.
  static constexpr milliseconds kPatience{15 * 60 * 1000};
  static constexpr std::size_t kRefusedMax = 64;

  // It was refused just now. True when it is believed: it, or what it is a half of, is refused for
  // so long already.
  bool is_refused_for_good(const BatchName& name, TimePoint now);
  // Not taken at the try of that number, and not the next for that.
  void put_behind(const BatchName& name, std::uint64_t tried);
  // Those, with the number of their last try.
  const std::map<BatchName, std::uint64_t>& behind() const { return behind_; }
  // Its halves stay refused since it was.
  void settled(const BatchName& name) { behind_.erase(name); }
  void clear();

 private:
  std::map<BatchName, TimePoint> since_;
  std::map<BatchName, std::uint64_t> behind_;
};

}  // namespace flagstone::upstream::launchdarkly
