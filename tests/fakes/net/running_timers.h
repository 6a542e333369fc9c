// How many timers of a loop are running: whoever waits for nobody must not wake its thread.
#pragma once

#include <uv.h>

#include <cstddef>

#include "net/loop.h"

namespace flagstone::net {

inline std::size_t running_timers(Loop& loop) {
  std::size_t running = 0;
  uv_walk(
      loop.uv(),
      [](uv_handle_t* handle, void* count) {
        if (handle->type == UV_TIMER && uv_is_active(handle) != 0) {
          ++*static_cast<std::size_t*>(count);
        }
      },
      &running);
  return running;
}

}  // namespace flagstone::net
