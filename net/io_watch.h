// Tells when a descriptor can be read or written: inotify's, libcurl's, listening sockets.
//
// Owned by whoever owns the descriptor, which it borrows: destroy the watch first, then close. The
// loop's thread only. Inside its own callback the interest may be changed and the watch destroyed.
// Level-triggered: what is not read is told again. The descriptor becomes non-blocking.
#pragma once

#include <functional>

namespace flagstone::net {

class Loop;

struct Readiness {
  bool readable = false;
  bool writable = false;
  bool failed = false;  // the descriptor is broken; the watch has stopped itself
};

class IoWatch {
 public:
  // One watch per descriptor at a time.
  IoWatch(Loop& loop, int descriptor, std::move_only_function<void(Readiness)> on_ready);
  ~IoWatch();
  IoWatch(const IoWatch&) = delete;
  IoWatch& operator=(const IoWatch&) = delete;

  // 0, or the errno with which the system refused to watch (regular files: EPERM). watch() is then
  // idle.
  int refused() const;
  // Replaces the interest; both false stops watching.
  void watch(bool readable, bool writable);

 private:
  struct Handle;
  Handle* handle_;
};

}  // namespace flagstone::net
