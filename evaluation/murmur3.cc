#include "evaluation/murmur3.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace flagstone::evaluation {
namespace {

std::uint32_t little_endian(const char* at, std::size_t count) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < count; ++i) {
    word |= std::uint32_t{static_cast<unsigned char>(at[i])} << (8 * i);
  }
  return word;
}

// Four bytes at once where the machine reads them in that order anyway.
std::uint32_t little_endian_word(const char* at) {
  if constexpr (std::endian::native != std::endian::little) return little_endian(at, 4);
  std::uint32_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

std::uint32_t scramble(std::uint32_t word) {
  return std::rotl(word * 0xCC9E2D51U, 15) * 0x1B873593U;
}

}  // namespace

std::uint32_t murmur3_x86_32(std::string_view bytes, std::uint32_t seed) {
  std::uint32_t hash = seed;
  std::size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) {
    hash = std::rotl(hash ^ scramble(little_endian_word(bytes.data() + at)), 13) * 5 + 0xE6546B64U;
  }
  if (at < bytes.size()) hash ^= scramble(little_endian(bytes.data() + at, bytes.size() - at));
  hash ^= static_cast<std::uint32_t>(bytes.size());
  hash = (hash ^ hash >> 16) * 0x85EBCA6BU;
  hash = (hash ^ hash >> 13) * 0xC2B2AE35U;
  return hash ^ hash >> 16;
}

}  // namespace flagstone::evaluation
