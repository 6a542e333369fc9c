// An allowance that grows with time up to a burst: for what a peer may do now and then, not always.
//
// A value; time is handed in, so it can be tested without waiting.
#pragma once

#include <algorithm>
#include <cstdint>

namespace flagstone::net {

class TokenBucket {
 public:
  TokenBucket(std::uint32_t burst, std::uint32_t per_second)
      : burst_milli_(std::int64_t{burst} * 1000),
        per_second_(per_second),
        milli_tokens_(burst_milli_) {}

  // False when there is none left.
  bool take(std::int64_t now_ms) {
    if (now_ms > filled_ms_) {
      // A bucket that was never asked is full, so the first call's time does not matter.
      add_milli((now_ms - filled_ms_) * per_second_);
      filled_ms_ = now_ms;
    }
    if (milli_tokens_ < 1000) return false;
    milli_tokens_ -= 1000;
    return true;
  }
  // Earned otherwise than by waiting.
  void add(std::uint32_t tokens) { add_milli(std::int64_t{tokens} * 1000); }

 private:
  void add_milli(std::int64_t amount) {
    milli_tokens_ = std::min(burst_milli_, milli_tokens_ + amount);
  }

  std::int64_t burst_milli_;
  std::int64_t per_second_;
  std::int64_t milli_tokens_;
  std::int64_t filled_ms_ = 0;
};

}  // namespace flagstone::net
