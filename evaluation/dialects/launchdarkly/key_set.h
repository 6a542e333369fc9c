// A set of texts, packed: context keys that a target, a segment or a clause lists.
//
// A view into the compiled record's block. Few texts are compared one after the other; many have a
// table beside them, so that 50,000 cost their own bytes, four more each and five to ten of table.
// Immutable; any thread; nothing here fails or allocates.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "evaluation/packed_record.h"
#include "evaluation/value.h"

namespace flagstone::evaluation::launchdarkly {

class KeySet {
 public:
  bool contains(std::string_view text) const;
  bool is_empty() const { return count_ == 0; }

  // Of `values` the strings.
  static KeySet pack(std::span<const Value> values, BlockPacker& packer);

 private:
  std::string_view text_at(std::uint32_t place) const;
  void fill_table(std::uint32_t* table) const;

  // Each text behind its size.
  const char* texts_ = nullptr;
  // Where texts are, or zero: free. A power of two of them; nullptr with few texts.
  const std::uint32_t* table_ = nullptr;
  std::uint32_t table_size_ = 0;
  std::uint32_t count_ = 0;
};

}  // namespace flagstone::evaluation::launchdarkly
