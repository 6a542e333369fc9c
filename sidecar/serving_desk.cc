#include "sidecar/serving_desk.h"

#include <chrono>
#include <ctime>

namespace flagstone::sidecar {

std::int64_t unix_now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

evaluation::Moment ServingDesk::moment() {
  // xorshift64: chance for rules that ask for it, not for secrets.
  random_state_ ^= random_state_ << 13;
  random_state_ ^= random_state_ >> 7;
  random_state_ ^= random_state_ << 17;
  // The wall clock as of the kernel's last tick (1 to 10 ms ago): rules that look at the time ask
  // for seconds or days, and reading it to the nanosecond for each evaluation costs several times
  // more.
  std::timespec tick{};
  clock_gettime(CLOCK_REALTIME_COARSE, &tick);
  constexpr std::int64_t kMsPerSecond = 1000;
  constexpr std::int64_t kNsPerMs = 1'000'000;
  return {.unix_ms = tick.tv_sec * kMsPerSecond + tick.tv_nsec / kNsPerMs, .random = random_state_};
}

}  // namespace flagstone::sidecar
