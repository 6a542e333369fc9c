// When FDv2 is left for FDv1, how, and for how long: where the other side does not know it (404,
// 405), or says to leave it (X-LD-FD-Fallback, `goodbye`).
//
// Owned by a LaunchDarkly source, on the keeper's loop. It reads, remembers and reminds; going
// another way is its owner's part.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "net/timer.h"
#include "upstream/clock.h"
#include "upstream/http_client.h"

namespace flagstone::upstream {

enum class LaunchDarklyWay : std::uint8_t { kNone, kStream, kPoll };

struct LaunchDarklyFallbackOptions {
  // Where the other side names no time.
  milliseconds usual{3'600'000};
  // However short the time is that it names.
  milliseconds least{30'000};
  // For the data that comes with the word to leave.
  milliseconds parting{10'000};
  // 404 and 405 mean that FDv2 is not known; not where it is asked for by name.
  bool may_be_unknown = true;
};

class LaunchDarklyFallback {
 public:
  struct Departure {
    milliseconds time{0};  // Zero: for ever.
    // FDv1 is polled then; otherwise it is streamed as well.
    bool polls_only = false;
    // What the answer brings is to be taken before.
    bool after_data = false;
  };
  struct Reminders {
    std::function<void()> on_return;   // FDv2 may be tried again.
    std::function<void()> on_overdue;  // Enough of waiting for the data; see due().
  };

  LaunchDarklyFallback(net::Loop& loop, const LaunchDarklyFallbackOptions& options,
                       Reminders reminders);

  // What the head of an answer to FDv2 says, if it speaks of leaving.
  std::optional<Departure> departure(const HttpHead& head) const;
  // What a `goodbye` says that names a time.
  Departure departure(std::int64_t ttl_s) const;

  // From now on. Until on_return, or reset().
  void leave(const Departure& departure);
  bool is_away() const { return away_; }
  bool leaves_stream() const { return leaves_stream_; }

  // `way` said so, and its data is still to come.
  void leave_after_data(LaunchDarklyWay way, const Departure& departure);
  // What is to be left for, now that `way` brought what it had, or the time for that is over.
  std::optional<Departure> due(LaunchDarklyWay way) const;
  // What `way` said counts no more: another connection takes its place.
  void forget_word_of(LaunchDarklyWay way);

  // As if nothing had ever been said; nothing is reminded of.
  void reset();

 private:
  milliseconds time_in(std::string_view text) const;
  milliseconds time_of(std::int64_t seconds) const;
  void forget_word();

  LaunchDarklyFallbackOptions options_;
  Reminders reminders_;
  net::Timer return_timer_;
  net::Timer overdue_timer_;
  bool away_ = false;
  bool leaves_stream_ = false;
  // The word that waits for its data.
  std::optional<Departure> word_;
  LaunchDarklyWay word_of_ = LaunchDarklyWay::kNone;
  bool overdue_ = false;
};

}  // namespace flagstone::upstream
