#include "upstream/clock.h"

#include <cassert>
#include <random>

namespace flagstone::upstream {

TimePoint SystemClock::now() const { return std::chrono::steady_clock::now(); }

std::int64_t SystemClock::unix_ms() const {
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

SystemRandom::SystemRandom() {
  std::random_device kernel;
  state_ = (std::uint64_t{kernel()} << 32) ^ kernel();
}

std::uint64_t SystemRandom::next() {
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

milliseconds between(milliseconds low, milliseconds high, std::uint64_t random) {
  assert(low <= high);
  // The remainder's bias is below one in 2^20 for any span we use.
  const auto span = static_cast<std::uint64_t>((high - low).count()) + 1;
  return low + milliseconds(random % span);
}

}  // namespace flagstone::upstream
