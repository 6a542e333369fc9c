#include "cache/memory_budget.h"

#include <cassert>

namespace flagstone::cache {
namespace {

constexpr std::array<std::string_view, kMemoryPartCount> kNames = {
    "index",   "compiled",    "vendor_bytes", "updates", "prepared",
    "streams", "connections", "usage",        "context", "state"};

std::size_t place(MemoryPart part) { return static_cast<std::size_t>(part); }

}  // namespace

std::string_view memory_part_name(MemoryPart part) { return kNames[place(part)]; }

bool MemoryBudget::fits(std::size_t bytes) const {
  return used_bytes() <= limit_bytes() && bytes <= free_bytes();
}

std::size_t MemoryBudget::free_bytes() const {
  const std::size_t used = used_bytes();
  const std::size_t limit = limit_bytes();
  return used <= limit ? limit - used : 0;
}

bool MemoryBudget::try_reserve(MemoryPart part, std::size_t bytes) {
  if (!fits(bytes)) return false;
  add(part, bytes);
  return true;
}

void MemoryBudget::add(MemoryPart part, std::size_t bytes) {
  used_[place(part)].fetch_add(bytes, std::memory_order_relaxed);
}

void MemoryBudget::release(MemoryPart part, std::size_t bytes) {
  [[maybe_unused]] const std::size_t before =
      used_[place(part)].fetch_sub(bytes, std::memory_order_relaxed);
  assert(before >= bytes);
}

void MemoryBudget::set(MemoryPart part, std::size_t bytes) {
  used_[place(part)].store(bytes, std::memory_order_relaxed);
}

std::size_t MemoryBudget::used_bytes(MemoryPart part) const {
  return used_[place(part)].load(std::memory_order_relaxed);
}

std::size_t MemoryBudget::used_bytes() const {
  std::size_t sum = 0;
  for (const std::atomic<std::size_t>& part : used_) sum += part.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace flagstone::cache
