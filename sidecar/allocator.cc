#include "sidecar/allocator.h"

#include <fcntl.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <array>
#include <cstdio>

namespace flagstone::sidecar {

void tune_allocator() {
#ifdef __GLIBC__
  // Large blocks (pieces of files, answers, tables) come from the system one by one and go back
  // whole. Left to itself, glibc raises this bound with the first such block that is freed, and
  // keeps the next ones, which then lie in pieces between what stays.
  constexpr int kMmapFromBytes = 128 * 1024;
  mallopt(M_MMAP_THRESHOLD, kMmapFromBytes);
  mallopt(M_TRIM_THRESHOLD, kMmapFromBytes);
  // The disk's and the serving threads' share one besides the keeper's: an arena each would keep
  // what it freed to itself.
  mallopt(M_ARENA_MAX, 2);
#endif
}

void give_back_unused_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

std::size_t anonymous_bytes() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 0;
#else
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  std::array<char, 128> text{};
  const ssize_t size = ::read(file, text.data(), text.size() - 1);
  ::close(file);
  unsigned long total = 0;
  unsigned long resident = 0;
  unsigned long shared = 0;
  if (size <= 0 || std::sscanf(text.data(), "%lu %lu %lu", &total, &resident, &shared) != 3) {
    return 0;
  }
  return (resident - std::min(resident, shared)) *
         static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
#endif
}

}  // namespace flagstone::sidecar
