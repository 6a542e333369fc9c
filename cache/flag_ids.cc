#include "cache/flag_ids.h"

namespace flagstone::cache {

std::uint32_t FlagIds::take(std::string_view set_id, std::string_view key) {
  if (!retired_.empty()) {
    const auto at = retired_.find(Name(set_id, key));
    if (at != retired_.end()) {
      const std::uint32_t id = at->second;
      retired_.erase(at);
      return id;
    }
  }
  if (free_.empty()) return limit_++;
  const std::uint32_t id = free_.back();
  free_.pop_back();
  return id;
}

void FlagIds::retire(std::string_view set_id, std::string_view key, std::uint32_t id) {
  const Name name(set_id, key);
  if (!retired_.emplace(name, id).second) return;
  retired_order_.push_back(name);
  while (retired_order_.size() > kRetiredMax) {
    const auto oldest = retired_.find(retired_order_.front());
    retired_order_.pop_front();
    // It may have come back meanwhile, and have been retired again: then it goes a little early.
    if (oldest == retired_.end()) continue;
    free_.push_back(oldest->second);
    retired_.erase(oldest);
  }
}

}  // namespace flagstone::cache
