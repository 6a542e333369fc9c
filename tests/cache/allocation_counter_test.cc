#include "tests/cache/allocation_counter.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>

namespace {

thread_local std::size_t allocations = 0;
thread_local std::size_t allocated_bytes = 0;
std::atomic<std::size_t> live_bytes{0};

void* counted(std::size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  ++allocations;
  allocated_bytes += size;
  live_bytes += ::malloc_usable_size(memory);
  return memory;
}

void given_back(void* memory) {
  if (memory == nullptr) return;
  live_bytes -= ::malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return counted(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return counted(size); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { given_back(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { given_back(memory); }
void operator delete(void* memory) noexcept { given_back(memory); }
void operator delete[](void* memory) noexcept { given_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { given_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { given_back(memory); }

namespace flagstone::cache {

std::size_t AllocationCounter::total_count() { return allocations; }
std::size_t AllocationCounter::total_bytes() { return allocated_bytes; }
std::size_t AllocationCounter::live_bytes() { return ::live_bytes; }

namespace {

TEST(AllocationCounterTest, Counts) {
  const std::size_t live = AllocationCounter::live_bytes();
  const AllocationCounter counter;
  const auto memory = std::make_unique<char[]>(1000);
  EXPECT_EQ(counter.count(), 1U);
  EXPECT_EQ(counter.bytes(), 1000U);
  EXPECT_GE(AllocationCounter::live_bytes(), live + 1000);
}

}  // namespace
}  // namespace flagstone::cache
