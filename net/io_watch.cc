#include "net/io_watch.h"

#include <uv.h>

#include <utility>

#include "net/loop.h"
#include "net/uv_check.h"

namespace flagstone::net {

// The callback lives here and not in the IoWatch, so that an IoWatch may be destroyed while it
// runs.
struct IoWatch::Handle {
  uv_poll_t uv{};
  bool owned = true;
  int refused = 0;
  std::move_only_function<void(Readiness)> on_ready;

  static void ready(uv_poll_t* poll, int status, int events) {
    auto* handle = static_cast<Handle*>(poll->data);
    if (!handle->owned) return;
    Readiness readiness;
    readiness.failed = status < 0;
    readiness.readable = (events & UV_READABLE) != 0 || readiness.failed;
    readiness.writable = (events & UV_WRITABLE) != 0 || readiness.failed;
    handle->on_ready(readiness);
  }
};

IoWatch::IoWatch(Loop& loop, int descriptor, std::move_only_function<void(Readiness)> on_ready)
    : handle_(new Handle) {
  handle_->on_ready = std::move(on_ready);
  handle_->uv.data = handle_;
  // When this fails the handle was not initialised, and must not be closed.
  handle_->refused = -uv_poll_init(loop.uv(), &handle_->uv, descriptor);
}

IoWatch::~IoWatch() {
  if (handle_->refused != 0) {
    delete handle_;
    return;
  }
  handle_->owned = false;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->uv),
           [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
}

int IoWatch::refused() const { return handle_->refused; }

void IoWatch::watch(bool readable, bool writable) {
  if (handle_->refused != 0) return;
  const int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
  if (events == 0) {
    uv_poll_stop(&handle_->uv);
    return;
  }
  uv_must(uv_poll_start(&handle_->uv, events, &Handle::ready), "uv_poll_start");
}

}  // namespace flagstone::net
