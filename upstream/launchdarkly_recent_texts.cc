#include "upstream/launchdarkly_recent_texts.h"

namespace flagstone::upstream::launchdarkly {

bool RecentTexts::knows(const std::string& text, std::int64_t now_ms) {
  forget_old(now_ms);
  return known_.contains(text);
}

void RecentTexts::remember(std::string text, std::int64_t now_ms) {
  forget_old(now_ms);
  if (!known_.insert(text).second) return;
  order_.emplace_back(now_ms, std::move(text));
}

std::vector<std::string> RecentTexts::latest(std::int64_t now_ms, std::int64_t age_ms,
                                             std::size_t most) const {
  std::vector<std::string> texts;
  for (auto at = order_.rbegin(); at != order_.rend() && texts.size() < most; ++at) {
    if (at->first + age_ms < now_ms) break;
    texts.push_back(at->second);
  }
  return texts;
}

void RecentTexts::forget_old(std::int64_t now_ms) {
  while (!order_.empty() &&
         (order_.front().first + window_ms_ <= now_ms || order_.size() >= texts_max_)) {
    known_.erase(order_.front().second);
    order_.pop_front();
  }
}

}  // namespace flagstone::upstream::launchdarkly
