// Texts that were there within a window of time, the oldest forgotten beyond a number: ids of
// payloads that were posted, diagnostics that were taken.
//
// A value of the spool's, on the writer's thread. Nothing fails. Whole texts, and not their hashes
// as in wire/event_batch.h's IndexWindow: the ids are written into the next log, and one that is
// taken for another would lose a body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace flagstone::upstream::launchdarkly {

class RecentTexts {
 public:
  RecentTexts(std::int64_t window_ms, std::size_t texts_max)
      : window_ms_(window_ms), texts_max_(texts_max) {}

  bool knows(const std::string& text, std::int64_t now_ms);
  void remember(std::string text, std::int64_t now_ms);
  // Those of the last so many milliseconds, at most so many.
  std::vector<std::string> latest(std::int64_t now_ms, std::int64_t age_ms, std::size_t most) const;

 private:
  void forget_old(std::int64_t now_ms);

  std::int64_t window_ms_;
  std::size_t texts_max_;
  std::unordered_set<std::string> known_;
  std::deque<std::pair<std::int64_t, std::string>> order_;
};

}  // namespace flagstone::upstream::launchdarkly
