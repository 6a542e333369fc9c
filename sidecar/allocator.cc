#include "sidecar/allocator.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace flagstone::sidecar {

void tune_allocator() {
#ifdef __GLIBC__
  // Large blocks (pieces of files, answers, tables) come from the system one by one and go back whole.
  // Left to itself, glibc raises this bound with the first such block that is freed, and keeps the next
  // ones, which then lie in pieces between what stays.
  constexpr int kMmapFromBytes = 128 * 1024;
  mallopt(M_MMAP_THRESHOLD, kMmapFromBytes);
  mallopt(M_TRIM_THRESHOLD, kMmapFromBytes);
  // The writer's and the serving threads' share one besides the keeper's: an arena each would keep what
  // it freed to itself.
  mallopt(M_ARENA_MAX, 2);
#endif
}

void give_back_unused_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace flagstone::sidecar
