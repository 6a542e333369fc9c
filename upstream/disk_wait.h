// A transfer that waits until the disk has taken what came of it so far: it is paused, so that what
// upstream sends stays with the other side, and not in memory.
//
// Owned by a transport, on the keeper's loop. It looks again and again instead of being told, since
// what it waits for happens on another thread, and takes milliseconds. A disk that hangs is not
// waited for without end.
#pragma once

#include <cstdint>
#include <functional>

#include "net/timer.h"
#include "upstream/clock.h"

namespace flagstone::net {
class Loop;
}

namespace flagstone::upstream {

// How long a document waits for a disk that takes too little of it.
inline constexpr milliseconds kDiskPatience{30'000};

class DiskWait {
 public:
  struct Calls {
    std::function<bool()> must_wait;
    // It took too long; go_on follows.
    std::function<void()> stop_waiting;
    std::function<void()> go_on;
  };

  DiskWait(net::Loop& loop, milliseconds patience, Calls calls);

  // After each piece. True: the transfer is to be paused until go_on.
  bool begins();
  bool waits() const { return timer_.running(); }
  void stop() { timer_.stop(); }

 private:
  void look();

  net::Loop& loop_;
  milliseconds patience_;
  Calls calls_;
  net::Timer timer_;
  std::int64_t since_ms_ = 0;
};

}  // namespace flagstone::upstream
