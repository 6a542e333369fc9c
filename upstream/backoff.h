// How long to wait: after a failure (Backoff) and between polls (jittered_interval).
//
// Pure values; clock and randomness are handed in with each call. Waiting is done elsewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "upstream/clock.h"

namespace flagstone::upstream {

struct BackoffOptions {
  milliseconds base{1'000};   // The first wait is anything up to this; it doubles per failure.
  milliseconds cap{30'000};   // The longest ordinary wait, Retry-After aside.
  milliseconds good{60'000};  // After this long without failure, waits start at `base` again.
  milliseconds retry_after_max{3'600'000};  // No server makes us wait longer.
  // What was denied: ordinary waits at first (it may be a hiccup), then rare ones. For a vendor who
  // counts such calls the first is zero.
  milliseconds denied_ordinary{60'000};
  milliseconds denied_base{300'000};
  milliseconds denied_cap{3'600'000};
};

enum class Regime : std::uint8_t {
  kOrdinary,
  // Waiting will hardly cure it: a refused key, and what judge_failure.h says of a vendor.
  kDenied,
};

class Backoff {
 public:
  explicit Backoff(const BackoffOptions& options) : options_(options) {}

  // How long to wait after a failure at `now`: full jitter, which means anything between zero and
  // a bound that doubles; never less than what the server asked for.
  milliseconds failed(Regime regime, TimePoint now, std::uint64_t random,
                      std::optional<milliseconds> retry_after = std::nullopt);
  void succeeded(TimePoint now);
  // What was denied counts no more: the next request is another one.
  void forgive();
  // The other side says what the first wait is to be; at most the cap.
  void set_base(milliseconds base);

 private:
  milliseconds ordinary_wait(std::uint64_t random);
  milliseconds denied_wait(std::uint64_t random);

  BackoffOptions options_;
  int failures_ = 0;         // In a row, apart from successes shorter than `good`.
  int denied_failures_ = 0;  // In the rare regime.
  std::optional<TimePoint> good_since_;
  std::optional<TimePoint> denied_since_;
};

// The interval, up to a tenth shorter or longer.
milliseconds jittered_interval(milliseconds interval, std::uint64_t random);

// `Retry-After`: seconds or an HTTP date. Nothing when it is neither; a date that has passed is
// zero. Capped at a year, so that sums cannot overflow.
std::optional<milliseconds> parse_retry_after(std::string_view value, std::int64_t now_unix_ms);

}  // namespace flagstone::upstream
