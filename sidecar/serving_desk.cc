#include "sidecar/serving_desk.h"

#include <chrono>
#include <ctime>

namespace flagstone::sidecar {

std::int64_t unix_now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::size_t ServingDesk::prepared_bytes_max() const {
  constexpr std::size_t kCopies = 3;
  if (budget == nullptr || budget->limit_bytes() == cache::MemoryBudget::kUnlimitedBytes) {
    return SIZE_MAX;
  }
  // What was prepared since the keeper last looked is not in the budget yet.
  const std::size_t known = budget->used_bytes(cache::MemoryPart::kPrepared);
  const std::size_t mine =
      static_cast<std::size_t>(counters.prepared_bytes.read() + counters.sdk_prepared_bytes.read());
  const std::size_t news = mine > known ? mine - known : 0;
  const std::size_t free = budget->free_bytes();
  return free > news ? (free - news) / kCopies : 0;
}

void ServingDesk::hand_over_reports() {
  for (EvaluationReporter* const reporter : reporters) {
    if (reporter != nullptr) reporter->hand_over();
  }
}

void ServingDesk::housework() {
  constexpr std::size_t kKeptBytesMax = std::size_t{256} * 1024;
  hand_over_reports();
  if (contexts.bytes() > kKeptBytesMax) contexts.shrink();
  if (scratch.arena.bytes() > kKeptBytesMax) scratch.arena = evaluation::Arena();
  counters.unreadable_texts.set(reader.failures());
  counters.context_bytes.set(contexts.bytes() + scratch.arena.bytes() +
                             scratch.metadata.capacity() + scratch.details.capacity());
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
