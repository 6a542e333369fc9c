// Events on their way into one payload: summaries summed, index events that say nothing new left
// out, everything else as it came and in its order.
//
// Values of one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "evaluation/dialects/launchdarkly/wire/event_list.h"
#include "evaluation/dialects/launchdarkly/wire/event_summary.h"

namespace flagstone::evaluation::launchdarkly {

// Contexts that index events told of lately, over the payloads of an environment: each with what it
// said, since it is told of again where that is another.
class IndexWindow {
 public:
  static constexpr std::int64_t kWindowMs = 5 * 60 * 1000;
  static constexpr std::size_t kContextsMax = 10'000;

  // True when the same context with the same content was told of within the window; else it counts
  // as told of now. `context` is an index event's, as JSON.
  bool knows(std::string_view context, std::int64_t now_ms);

 private:
  struct Told {
    std::uint64_t content = 0;
    std::int64_t at_ms = 0;
  };
  void forget_old(std::int64_t now_ms);

  std::unordered_map<std::uint64_t, Told> told_;  // By the hash of kinds and keys.
  std::deque<std::pair<std::int64_t, std::uint64_t>> order_;
};

class EventBatch {
 public:
  struct Taken {
    std::size_t events = 0;
    std::size_t merged_away = 0;
  };

  Taken add(EventList list, IndexWindow& window, std::int64_t now_ms);
  bool empty() const { return verbatim_count_ == 0 && sum_.empty(); }
  std::size_t events() const { return verbatim_count_ + sum_.events(); }
  std::size_t summaries() const { return sum_.events(); }
  // About the size of json().
  std::size_t bytes() const { return verbatim_.size() + sum_.bytes() + 2; }
  // The payload.
  std::string json() const;

 private:
  bool take_summary(std::string_view event);

  std::string verbatim_;  // With commas between.
  std::size_t verbatim_count_ = 0;
  SummarySum sum_;
};

}  // namespace flagstone::evaluation::launchdarkly
