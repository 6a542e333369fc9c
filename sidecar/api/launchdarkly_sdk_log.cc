#include "sidecar/api/launchdarkly_sdk_log.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <string_view>
#include <utility>

namespace flagstone::sidecar {

void SdkChangeLog::begin(std::uint64_t generation) {
  *this = {};
  base_ = newest_ = generation;
}

void SdkChangeLog::add(std::uint64_t generation, std::vector<SdkChange> changes, bool needs_put) {
  assert(generation > newest_);
  std::size_t bytes = 0;
  for (const SdkChange& change : changes) bytes += bytes_of(change);
  if (changes.size() > kChangesMax || bytes > kBytesMax) return begin(generation);
  count_ += changes.size();
  bytes_ += bytes;
  newest_ = generation;
  steps_.push_back(
      {.generation = generation, .needs_put = needs_put, .changes = std::move(changes)});
  // Steps without changes are none, so this bounds them too.
  while (count_ > kChangesMax || bytes_ > kBytesMax) forget_first();
}

void SdkChangeLog::forget_first() {
  const Step& first = steps_.front();
  base_ = first.generation;
  count_ -= first.changes.size();
  for (const SdkChange& change : first.changes) bytes_ -= bytes_of(change);
  steps_.pop_front();
}

bool SdkChangeLog::knows(std::uint64_t generation) const {
  if (generation == 0) return false;
  if (generation == base_) return true;
  const auto at = std::lower_bound(
      steps_.begin(), steps_.end(), generation,
      [](const Step& step, std::uint64_t wanted) { return step.generation < wanted; });
  return at != steps_.end() && at->generation == generation;
}

SdkChangeLog::Since SdkChangeLog::since(std::uint64_t generation) const {
  assert(knows(generation));
  auto step = std::upper_bound(
      steps_.begin(), steps_.end(), generation,
      [](std::uint64_t wanted, const Step& other) { return wanted < other.generation; });
  Since result;
  const bool only_one = step != steps_.end() && std::next(step) == steps_.end();
  struct Net {
    const SdkChange* first = nullptr;
    const SdkChange* last = nullptr;
  };
  using Name = std::pair<evaluation::RecordKind, std::string_view>;
  std::map<Name, Net> nets;
  for (; step != steps_.end(); ++step) {
    result.needs_put = result.needs_put || step->needs_put;
    for (const SdkChange& change : step->changes) {
      if (only_one) {
        result.changes.push_back(&change);
        continue;
      }
      Net& net = nets[{change.kind, change.key}];
      if (net.first == nullptr) net.first = &change;
      net.last = &change;
    }
  }
  for (const auto& [name, net] : nets) {
    if (net.first->before != net.last->after) result.changes.push_back(net.last);
  }
  return result;
}

}  // namespace flagstone::sidecar
