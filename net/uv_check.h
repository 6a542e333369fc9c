// For libuv calls that fail only when we misuse them or memory is gone: say which, and stop.
//
// Inside net/ only.
#pragma once

#include <uv.h>

#include <cstdio>
#include <cstdlib>

namespace flagstone::net {

inline void uv_must(int result, const char* call) {
  if (result >= 0) return;
  std::fprintf(stderr, "flagstone: %s: %s\n", call, uv_strerror(result));
  std::abort();
}

}  // namespace flagstone::net
