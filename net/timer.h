// A timer on a loop: once or again and again.
//
// Owned as a member by whoever waits; the loop's thread only. The destructor cancels, also from
// inside the timer's own callback. What the callback captured is destroyed a little later, by the
// loop.
#pragma once

#include <cstdint>
#include <functional>

namespace flagstone::net {

class Loop;

class Timer {
 public:
  Timer(Loop& loop, std::move_only_function<void()> on_due);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Each start replaces what was running.
  void start_once(std::int64_t delay_ms);
  void start_repeating(std::int64_t first_delay_ms, std::int64_t period_ms);
  void stop();
  bool running() const;

 private:
  struct Handle;
  Handle* handle_;
};

}  // namespace flagstone::net
