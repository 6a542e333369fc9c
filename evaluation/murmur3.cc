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

// The last `count` bytes of a text, at most three, without a loop where there are four to read.
std::uint32_t little_endian_end(std::string_view bytes, std::size_t count) {
  const char* const at = bytes.data() + bytes.size() - count;
  if (bytes.size() < 4 || count == 0) return little_endian(at, count);
  return little_endian_word(bytes.data() + bytes.size() - 4) >> (8 * (4 - count));
}

std::uint32_t scramble(std::uint32_t word) {
  return std::rotl(word * 0xCC9E2D51U, 15) * 0x1B873593U;
}

std::uint32_t add_word(std::uint32_t hash, std::uint32_t word) {
  return std::rotl(hash ^ scramble(word), 13) * 5 + 0xE6546B64U;
}

std::uint32_t finish(std::uint32_t hash, std::uint32_t size) {
  hash ^= size;
  hash = (hash ^ hash >> 16) * 0x85EBCA6BU;
  hash = (hash ^ hash >> 13) * 0xC2B2AE35U;
  return hash ^ hash >> 16;
}

}  // namespace

std::uint32_t murmur3_x86_32(std::string_view bytes, std::uint32_t seed) {
  return Murmur3Beginning({}, seed).hash_with(bytes);
}

Murmur3Beginning::Murmur3Beginning(std::string_view beginning, std::uint32_t seed)
    : hash_(seed), size_(static_cast<std::uint32_t>(beginning.size())) {
  std::size_t at = 0;
  for (; at + 4 <= beginning.size(); at += 4) {
    hash_ = add_word(hash_, little_endian_word(beginning.data() + at));
  }
  left_over_ = little_endian(beginning.data() + at, beginning.size() - at);
}

std::uint32_t Murmur3Beginning::hash_with(std::string_view rest) const {
  // Words begin this many bits before the rest's own.
  const unsigned shift = size_ % 4 * 8;
  std::uint32_t hash = hash_;
  // The bytes not yet hashed, the first lowest: up to three, and up to seven before a word is
  // taken.
  std::uint64_t bytes = left_over_;
  std::size_t at = 0;
  for (; at + 4 <= rest.size(); at += 4) {
    bytes |= std::uint64_t{little_endian_word(rest.data() + at)} << shift;
    hash = add_word(hash, static_cast<std::uint32_t>(bytes));
    bytes >>= 32;
  }
  bytes |= std::uint64_t{little_endian_end(rest, rest.size() - at)} << shift;
  const std::size_t left = size_ % 4 + rest.size() - at;
  if (left >= 4) {
    hash = add_word(hash, static_cast<std::uint32_t>(bytes));
    bytes >>= 32;
  }
  // Nothing left is zero, which scrambles to zero.
  hash ^= scramble(static_cast<std::uint32_t>(bytes));
  return finish(hash, size_ + static_cast<std::uint32_t>(rest.size()));
}

}  // namespace flagstone::evaluation
