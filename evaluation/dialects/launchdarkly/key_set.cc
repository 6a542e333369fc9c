#include "evaluation/dialects/launchdarkly/key_set.h"

#include <bit>
#include <cassert>
#include <cstring>

#include "evaluation/content_hash.h"
#include "evaluation/same_text.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

// Comparing so many costs no more than one hash.
constexpr std::size_t kFew = 6;
constexpr std::size_t kSizeBytes = sizeof(std::uint32_t);

std::size_t table_size_for(std::size_t count) {
  // At most four fifths full, so that a search ends soon.
  return count <= kFew ? 0 : std::bit_ceil(count + count / 4 + 1);
}

// A place of the table: where the text is, plus one, and bits of its hash that are not in its place
// in the table, so that hardly ever another text is looked at.
constexpr unsigned kPlaceBits = 24;
constexpr std::uint32_t kPlaceMask = (std::uint32_t{1} << kPlaceBits) - 1;
std::uint32_t mark_of(std::uint64_t hash) {
  return static_cast<std::uint32_t>(hash >> 32) & ~kPlaceMask;
}

}  // namespace

std::string_view KeySet::text_at(std::uint32_t place) const {
  std::uint32_t size = 0;
  std::memcpy(&size, texts_ + place, kSizeBytes);
  return {texts_ + place + kSizeBytes, size};
}

bool KeySet::contains(std::string_view text) const {
  if (table_ == nullptr) {
    std::uint32_t place = 0;
    for (std::uint32_t i = 0; i < count_; ++i) {
      const std::string_view own = text_at(place);
      if (same_text(own, text)) return true;
      place += static_cast<std::uint32_t>(kSizeBytes + own.size());
    }
    return false;
  }
  const std::uint32_t mask = table_size_ - 1;
  const std::uint64_t hash = digest64(text);
  for (auto at = static_cast<std::uint32_t>(hash);; ++at) {
    const std::uint32_t word = table_[at & mask];
    if (word == 0) return false;
    if ((word & ~kPlaceMask) != mark_of(hash)) continue;
    if (same_text(text_at((word & kPlaceMask) - 1), text)) return true;
  }
}

void KeySet::fill_table(std::uint32_t* table) const {
  std::memset(table, 0, table_size_ * sizeof(std::uint32_t));
  const std::uint32_t mask = table_size_ - 1;
  std::uint32_t place = 0;
  for (std::uint32_t i = 0; i < count_; ++i) {
    const std::string_view text = text_at(place);
    const std::uint64_t hash = digest64(text);
    auto at = static_cast<std::uint32_t>(hash);
    const auto is_there = [&](std::uint32_t word) {
      return (word & ~kPlaceMask) == mark_of(hash) &&
             same_text(text_at((word & kPlaceMask) - 1), text);
    };
    while (table[at & mask] != 0 && !is_there(table[at & mask])) ++at;
    // One that is there needs no second place; thousands of them would crowd the others.
    if (table[at & mask] == 0) table[at & mask] = mark_of(hash) | (place + 1);
    place += static_cast<std::uint32_t>(kSizeBytes + text.size());
  }
  assert(place < kPlaceMask);
}

KeySet KeySet::pack(std::span<const Value> values, BlockPacker& packer) {
  KeySet set;
  const std::size_t start = packer.text_bytes();
  for (const Value& value : values) {
    if (!value.is_string()) continue;
    const std::string_view text = value.as_string();
    const auto size = static_cast<std::uint32_t>(text.size());
    char bytes[kSizeBytes];
    std::memcpy(bytes, &size, kSizeBytes);
    packer.text({bytes, kSizeBytes});
    packer.text(text);
    ++set.count_;
  }
  set.table_size_ = static_cast<std::uint32_t>(table_size_for(set.count_));
  // Two places are as large as what a block is aligned to.
  auto* const pairs = packer.make<std::uint64_t>(set.table_size_ / 2);
  if (packer.measuring()) return set;
  set.texts_ = packer.text_from(start);
  if (set.table_size_ == 0) return set;
  auto* const table = reinterpret_cast<std::uint32_t*>(pairs);
  set.fill_table(table);
  set.table_ = table;
  return set;
}

}  // namespace flagstone::evaluation::launchdarkly
