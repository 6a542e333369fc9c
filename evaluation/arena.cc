#include "evaluation/arena.h"

namespace flagstone::evaluation {

void* Arena::allocate_in_next_block(std::size_t size) {
  // Blocks after the current one are kept from earlier rounds; one that is too small is passed over
  // until the next reset.
  std::size_t next = blocks_.empty() ? 0 : block_ + 1;
  while (next < blocks_.size() && blocks_[next].size < size) ++next;
  if (next == blocks_.size()) {
    std::size_t grown = blocks_.empty() ? kFirstBlockBytes : blocks_.back().size * 2;
    std::size_t block_size = std::max(grown, size);
    blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(block_size), block_size});
    bytes_ += block_size;
  }
  block_ = next;
  used_ = size;
  return blocks_[block_].bytes.get();
}

}  // namespace flagstone::evaluation
