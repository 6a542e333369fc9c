// What of a file the kernel holds in its memory, for tests of what a read brings there.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace flagstone::fakes {

inline std::size_t bytes_in_memory(int descriptor) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0 || status.st_size == 0) return 0;
  const auto size = static_cast<std::size_t>(status.st_size);
  void* const file = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
  if (file == MAP_FAILED) return 0;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((size + page - 1) / page);
  const bool known = ::mincore(file, size, pages.data()) == 0;
  ::munmap(file, size);
  if (!known) return 0;
  return page * static_cast<std::size_t>(std::ranges::count_if(
                    pages, [](unsigned char marks) { return (marks & 1U) != 0; }));
}

// Writes the file and has the kernel forget what is in it. False where the kernel has it nowhere
// else, as on tmpfs.
inline bool write_and_forget(int descriptor, std::size_t bytes) {
  const std::string zeros(bytes, '\0');
  if (::pwrite(descriptor, zeros.data(), bytes, 0) != static_cast<ssize_t>(bytes)) return false;
  ::fsync(descriptor);
  ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
  return bytes_in_memory(descriptor) == 0;
}

}  // namespace flagstone::fakes
