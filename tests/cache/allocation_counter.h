// Counts what operator new gives out, for tests that promise little or nothing.
//
// The test program's operator new and delete are replaced (allocation_counter_test.cc). Counts the
// thread that made it only.
#pragma once

#include <cstddef>

namespace flagstone::cache {

class AllocationCounter {
 public:
  AllocationCounter() : count_(total_count()), bytes_(total_bytes()) {}
  std::size_t count() const { return total_count() - count_; }
  std::size_t bytes() const { return total_bytes() - bytes_; }
  // Given out and not yet given back, by anybody, as malloc rounds it.
  static std::size_t live_bytes();

 private:
  static std::size_t total_count();
  static std::size_t total_bytes();
  std::size_t count_;
  std::size_t bytes_;
};

}  // namespace flagstone::cache
