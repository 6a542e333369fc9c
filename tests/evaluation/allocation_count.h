// Counts what a thread allocates by operator new. For tests only; the operators are in
// allocation_test.cc.
#pragma once

#include <cstddef>

namespace flagstone::evaluation {

// Counts from its construction to stop(). One at a time and thread.
class AllocationCount {
 public:
  AllocationCount();
  // How many there were.
  std::size_t stop();
};

}  // namespace flagstone::evaluation
