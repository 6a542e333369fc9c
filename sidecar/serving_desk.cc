#include "sidecar/serving_desk.h"

#include <chrono>

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
  return {.unix_ms = unix_now_ms(), .random = random_state_};
}

}  // namespace flagstone::sidecar
