#include "net/signal.h"

#include <uv.h>

#include <utility>

#include "net/loop.h"
#include "net/uv_check.h"

namespace flagstone::net {

// The callback lives here and not in the Signal, so that a Signal may be destroyed while it runs.
struct Signal::Handle {
  uv_signal_t uv{};
  bool owned = true;
  std::move_only_function<void()> on_signal;
};

Signal::Signal(Loop& loop, int number, std::move_only_function<void()> on_signal)
    : handle_(new Handle) {
  handle_->on_signal = std::move(on_signal);
  handle_->uv.data = handle_;
  uv_must(uv_signal_init(loop.uv(), &handle_->uv), "uv_signal_init");
  uv_must(uv_signal_start(
              &handle_->uv,
              [](uv_signal_t* signal, int) {
                auto* handle = static_cast<Handle*>(signal->data);
                if (handle->owned) handle->on_signal();
              },
              number),
          "uv_signal_start");
}

Signal::~Signal() {
  handle_->owned = false;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->uv),
           [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
}

}  // namespace flagstone::net
