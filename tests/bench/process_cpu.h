// The CPU time another process has used so far, as the kernel counts it. Pure reads of the kernel's
// accounts; gives nothing when the process is gone or belongs to somebody else.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace flagstone::bench {

struct ProcessCpu {
  std::uint64_t total_ns = 0;  // exact, all threads
  // Clock ticks (10 ms); good for dividing the total between user and kernel, too coarse for more.
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
};

std::optional<ProcessCpu> read_process_cpu(pid_t pid);

}  // namespace flagstone::bench
