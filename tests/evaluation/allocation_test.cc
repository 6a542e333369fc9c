// Puts a counter under this program's operator new.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <new>

#include "tests/evaluation/allocation_count.h"

namespace {
// Only the thread under test counts, and only while it says so.
thread_local bool counting = false;
thread_local std::size_t allocations = 0;

void* counted(std::size_t size, std::size_t align) {
  if (counting) ++allocations;
  // malloc and free stay the sanitizers' own, so they see every block.
  void* block = align <= alignof(std::max_align_t)
                    ? std::malloc(size == 0 ? 1 : size)
                    : std::aligned_alloc(align, (size + align - 1) / align * align);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
}  // namespace

void* operator new(std::size_t size) { return counted(size, 1); }
void* operator new[](std::size_t size) { return counted(size, 1); }
void* operator new(std::size_t size, std::align_val_t align) {
  return counted(size, static_cast<std::size_t>(align));
}
void* operator new[](std::size_t size, std::align_val_t align) {
  return counted(size, static_cast<std::size_t>(align));
}
// The forms that do not throw count too; out of memory still throws here, and ends the test.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return counted(size, 1); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return counted(size, 1); }
void operator delete(void* block, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }

namespace flagstone::evaluation {

AllocationCount::AllocationCount() {
  allocations = 0;
  counting = true;
}

std::size_t AllocationCount::stop() {
  counting = false;
  return allocations;
}

namespace {

TEST(AllocationCount, Counts) {
  AllocationCount count;
  auto block = std::make_unique<std::array<char, 64>>();
  EXPECT_EQ(count.stop(), 1U);
  EXPECT_NE(block, nullptr);
}

}  // namespace
}  // namespace flagstone::evaluation
