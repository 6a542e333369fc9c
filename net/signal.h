// Calls back on the loop when the process receives a signal.
//
// Owned as a member; the loop's thread only. Several may watch the same signal. The destructor
// stops watching, also from inside the callback.
#pragma once

#include <functional>

namespace flagstone::net {

class Loop;

class Signal {
 public:
  Signal(Loop& loop, int number, std::move_only_function<void()> on_signal);
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

 private:
  struct Handle;
  Handle* handle_;
};

}  // namespace flagstone::net
