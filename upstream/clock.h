// Time and chance, handed in so that tests can fix them.
//
// Pure interfaces and the real ones; used on the keeper's loop thread.
#pragma once

#include <chrono>
#include <cstdint>

namespace flagstone::upstream {

using std::chrono::milliseconds;
using TimePoint = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  // For every interval and limit. Never jumps.
  virtual TimePoint now() const = 0;
  // For comparing with dates that a server sent.
  virtual std::int64_t unix_ms() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const override;
  std::int64_t unix_ms() const override;
};

class RandomSource {
 public:
  virtual ~RandomSource() = default;
  // Uniform over all 64-bit numbers.
  virtual std::uint64_t next() = 0;
};

// SplitMix64, seeded from the kernel, so that no two pods jitter alike. Not for secrets.
class SystemRandom final : public RandomSource {
 public:
  SystemRandom();
  explicit SystemRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override;

 private:
  std::uint64_t state_;
};

// A whole millisecond between `low` and `high`, both included, for a uniform 64-bit `random`.
milliseconds between(milliseconds low, milliseconds high, std::uint64_t random);

}  // namespace flagstone::upstream
