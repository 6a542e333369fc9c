// Compares short texts, as names are, without a call: what evaluating does most.
//
// Pure.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace flagstone::evaluation {

constexpr bool same_text(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if consteval {
    return a == b;
  }
  // As many bytes as a T has, from `at` on.
  const auto same = [a, b]<typename T>(std::size_t at, T left, T right) {
    std::memcpy(&left, a.data() + at, sizeof(T));
    std::memcpy(&right, b.data() + at, sizeof(T));
    return left == right;
  };
  const auto same8 = [&same](std::size_t at) { return same(at, std::uint64_t{}, std::uint64_t{}); };
  const auto same4 = [&same](std::size_t at) { return same(at, std::uint32_t{}, std::uint32_t{}); };
  const std::size_t size = a.size();
  // The last step takes some bytes a second time.
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) {
      if (!same8(at)) return false;
    }
    return same8(size - 8);
  }
  if (size >= 4) return same4(0) && same4(size - 4);
  for (std::size_t at = 0; at < size; ++at) {
    if (a[at] != b[at]) return false;
  }
  return true;
}

}  // namespace flagstone::evaluation
