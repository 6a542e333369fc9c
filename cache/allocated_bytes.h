// What a block from the heap takes of it.
//
// Pure. glibc's: a header of 8 bytes, rounded up to 16; other allocators take about as much.
#pragma once

#include <cstddef>

namespace flagstone::cache {

constexpr std::size_t allocated_bytes(std::size_t wanted) {
  constexpr std::size_t kHeaderBytes = 8;
  constexpr std::size_t kRoundedTo = 16;
  constexpr std::size_t kLeastBytes = 32;
  const std::size_t rounded = (wanted + kHeaderBytes + kRoundedTo - 1) / kRoundedTo * kRoundedTo;
  return rounded < kLeastBytes ? kLeastBytes : rounded;
}

}  // namespace flagstone::cache
