// Bytes of the budget that one owner holds, given back with it.
//
// Movable value; the keeper's thread, as MemoryBudget::add().
#pragma once

#include <cstddef>
#include <utility>

#include "cache/memory_budget.h"

namespace flagstone::cache {

class Reservation {
 public:
  Reservation(MemoryBudget& budget, MemoryPart part) : budget_(&budget), part_(part) {}
  Reservation(Reservation&& other) noexcept
      : budget_(other.budget_), part_(other.part_), bytes_(std::exchange(other.bytes_, 0)) {}
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;
  Reservation& operator=(Reservation&&) = delete;
  ~Reservation() { hold(0); }

  // From now on so many.
  void hold(std::size_t bytes) {
    if (bytes > bytes_) budget_->add(part_, bytes - bytes_);
    if (bytes < bytes_) budget_->release(part_, bytes_ - bytes);
    bytes_ = bytes;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  MemoryBudget* budget_;
  MemoryPart part_;
  std::size_t bytes_ = 0;
};

}  // namespace flagstone::cache
