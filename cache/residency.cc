#include "cache/residency.h"

#include <algorithm>
#include <utility>

namespace flagstone::cache {

bool Residency::is_dear(const Entry& entry) {
  return entry.kind() != evaluation::kFlagKind || entry.text_bytes() > kLargeTextBytes;
}

void Residency::add(EntryPointer entry) {
  ++promotions_;
  items_.push_back(std::move(entry));
}

bool Residency::admit(std::size_t bytes) {
  const std::size_t limit = home_.budget.limit_bytes();
  if (limit == MemoryBudget::kUnlimitedBytes) return true;
  const std::size_t wanted = bytes + limit / kReservedShare;
  if (home_.budget.fits(wanted)) return true;
  // What is on its way back already need not be freed twice.
  if (home_.retired.bytes() < bytes) free_bytes(bytes);
  return false;
}

std::size_t Residency::free_bytes(std::size_t bytes) {
  // The first round may find everything used since the last, and the second not.
  std::size_t freed = demote_round(bytes, false);
  if (freed < bytes) freed += demote_round(bytes - freed, false);
  if (freed < bytes) freed += demote_round(bytes - freed, true);
  if (freed < bytes) freed += demote_round(bytes - freed, true);
  return freed;
}

std::size_t Residency::demote_round(std::size_t bytes, bool dear_too) {
  std::size_t freed = 0;
  for (std::size_t left = items_.size(); left > 0 && freed < bytes && !items_.empty(); --left) {
    if (hand_ >= items_.size()) hand_ = 0;
    const Entry& entry = *items_[hand_];
    const bool kept = is_dear(entry) && !dear_too;
    if (kept || (entry.take_used() && entry.is_shared())) {
      ++hand_;
      continue;
    }
    freed += entry.demote();
    ++demotions_;
    items_[hand_] = std::move(items_.back());
    items_.pop_back();
  }
  return freed;
}

void Residency::sweep() {
  std::erase_if(items_, [](const EntryPointer& entry) {
    return !entry->is_shared() || entry->compiled() == nullptr;
  });
  if (items_.capacity() > 2 * items_.size() + 64) items_.shrink_to_fit();
}

}  // namespace flagstone::cache
