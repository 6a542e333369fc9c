#include "net/timer.h"

#include <uv.h>

#include <cassert>
#include <utility>

#include "net/loop.h"
#include "net/uv_check.h"

namespace flagstone::net {

// The callback lives here and not in the Timer, so that a Timer may be destroyed while it runs.
struct Timer::Handle {
  uv_timer_t uv{};
  bool owned = true;
  std::move_only_function<void()> on_due;
};

Timer::Timer(Loop& loop, std::move_only_function<void()> on_due) : handle_(new Handle) {
  handle_->on_due = std::move(on_due);
  handle_->uv.data = handle_;
  uv_must(uv_timer_init(loop.uv(), &handle_->uv), "uv_timer_init");
}

Timer::~Timer() {
  handle_->owned = false;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->uv),
           [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
}

void Timer::start_once(std::int64_t delay_ms) { start_repeating(delay_ms, 0); }

void Timer::start_repeating(std::int64_t first_delay_ms, std::int64_t period_ms) {
  assert(first_delay_ms >= 0 && period_ms >= 0);
  uv_must(uv_timer_start(
              &handle_->uv,
              [](uv_timer_t* timer) {
                auto* handle = static_cast<Handle*>(timer->data);
                if (handle->owned) handle->on_due();
              },
              static_cast<std::uint64_t>(first_delay_ms), static_cast<std::uint64_t>(period_ms)),
          "uv_timer_start");
}

void Timer::stop() { uv_timer_stop(&handle_->uv); }

bool Timer::running() const {
  return uv_is_active(reinterpret_cast<const uv_handle_t*>(&handle_->uv)) != 0;
}

}  // namespace flagstone::net
