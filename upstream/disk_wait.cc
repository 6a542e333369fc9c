#include "upstream/disk_wait.h"

#include <utility>

#include "net/loop.h"

namespace flagstone::upstream {
namespace {

constexpr std::int64_t kLookMs = 5;

}  // namespace

DiskWait::DiskWait(net::Loop& loop, milliseconds patience, Calls calls)
    : loop_(loop),
      patience_(patience),
      calls_(std::move(calls)),
      timer_(loop, [this] { look(); }) {}

bool DiskWait::begins() {
  if (waits() || !calls_.must_wait()) return waits();
  since_ms_ = loop_.now_ms();
  timer_.start_repeating(kLookMs, kLookMs);
  return true;
}

void DiskWait::look() {
  const bool still = calls_.must_wait();
  const bool too_long = loop_.now_ms() - since_ms_ >= patience_.count();
  if (still && !too_long) return;
  timer_.stop();
  if (still) calls_.stop_waiting();
  calls_.go_on();
}

}  // namespace flagstone::upstream
