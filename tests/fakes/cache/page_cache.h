// A file, and what of it the kernel holds in its memory, for tests of what a read brings there.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace flagstone::fakes {

inline std::size_t page_bytes() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

// Of the file's first `bytes`; 0 too where that is not known.
inline std::size_t bytes_in_memory(int descriptor, std::size_t bytes) {
  void* const file = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor, 0);
  if (file == MAP_FAILED) return 0;
  std::vector<unsigned char> pages((bytes + page_bytes() - 1) / page_bytes());
  const bool known = ::mincore(file, bytes, pages.data()) == 0;
  ::munmap(file, bytes);
  if (!known) return 0;
  return page_bytes() * static_cast<std::size_t>(std::ranges::count_if(
                            pages, [](unsigned char marks) { return (marks & 1U) != 0; }));
}

inline void forget(int descriptor) {
  ::fsync(descriptor);
  ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
}

// Fills the file and has the kernel forget it. False where that, or a page by itself, is not to be
// had: the file system keeps its files in memory, reads larger blocks, or does not tell.
inline bool fill_and_forget(const std::string& path, std::size_t bytes) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return false;
  // Nothing that a file system could compress.
  std::string noise(bytes, '\0');
  std::mt19937 random(1);
  std::ranges::generate(noise, [&random] { return static_cast<char>(random()); });
  bool good = ::pwrite(file, noise.data(), bytes, 0) == static_cast<ssize_t>(bytes);
  forget(file);
  ::posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
  std::string page(page_bytes(), '\0');
  good = good && bytes_in_memory(file, bytes) == 0 &&
         ::pread(file, page.data(), page.size(), static_cast<off_t>(bytes / 2)) > 0 &&
         bytes_in_memory(file, bytes) == page_bytes();
  forget(file);
  good = good && bytes_in_memory(file, bytes) == 0;
  ::close(file);
  return good;
}

}  // namespace flagstone::fakes
