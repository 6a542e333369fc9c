#include "evaluation/dialects/flagd/compiled_records.h"

namespace flagstone::evaluation::flagd {
namespace {

// What the allocator keeps beside each allocation: its size and the rounding up to 16, on average.
constexpr std::size_t kAllocationOverheadBytes = 16;

std::size_t with_overhead(std::size_t object, std::size_t block) {
  return object + kAllocationOverheadBytes + (block == 0 ? 0 : block + kAllocationOverheadBytes);
}

}  // namespace

std::size_t CompiledFlag::bytes() const { return with_overhead(sizeof(*this), block_bytes); }
std::size_t CompiledEvaluator::bytes() const { return with_overhead(sizeof(*this), block_bytes); }
std::size_t CompiledMetadata::bytes() const { return with_overhead(sizeof(*this), block_bytes); }

}  // namespace flagstone::evaluation::flagd
