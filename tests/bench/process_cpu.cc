#include "tests/bench/process_cpu.h"

#include <time.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace flagstone::bench {

std::optional<ProcessCpu> read_process_cpu(pid_t pid) {
  clockid_t clock;
  timespec used{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
    return std::nullopt;
  ProcessCpu cpu;
  cpu.total_ns = static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000 +
                 static_cast<std::uint64_t>(used.tv_nsec);

  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string line{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  // After the name come state and ten numbers, then user and system time: proc(5), fields 14
  // and 15.
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  fields >> cpu.user_ticks >> cpu.system_ticks;
  if (!fields) return std::nullopt;
  return cpu;
}

}  // namespace flagstone::bench
