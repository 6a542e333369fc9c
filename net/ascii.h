// Letters of ASCII, whose case means nothing in names of fields, hosts and schemes. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace flagstone::net {

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// to_lower() of the eight bytes in a word: each byte's highest bit tells of it, and no sum carries
// over into the next byte.
constexpr std::uint64_t to_lower_8(std::uint64_t word) {
  constexpr std::uint64_t kEach = 0x0101'0101'0101'0101;
  const std::uint64_t low_bits = word & (kEach * 0x7f);
  const std::uint64_t from_a = low_bits + kEach * (0x80 - 'A');
  const std::uint64_t beyond_z = low_bits + kEach * (0x7f - 'Z');
  const std::uint64_t upper = (from_a ^ beyond_z) & ~word & (kEach * 0x80);
  return word | (upper >> 2);  // 0x80 >> 2 is what a capital lacks
}

inline void copy_lower(std::string_view text, char* to) {
  constexpr std::size_t kWordBytes = sizeof(std::uint64_t);
  const auto lower_word_at = [&](std::size_t at) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, kWordBytes);
    word = to_lower_8(word);
    std::memcpy(to + at, &word, kWordBytes);
  };
  if (text.size() < kWordBytes) {
    for (const char c : text) *to++ = to_lower(c);
    return;
  }
  for (std::size_t at = 0; at + kWordBytes < text.size(); at += kWordBytes) lower_word_at(at);
  lower_word_at(text.size() - kWordBytes);  // the last word may overlap the one before
}

inline void append_lower(std::string_view text, std::string& out) {
  const std::size_t begin = out.size();
  const std::size_t end = begin + text.size();
  // The size handed in is not looked at: libstdc++ 12 hands in the capacity when the text moved.
  out.resize_and_overwrite(end, [&](char* bytes, std::size_t) {
    copy_lower(text, bytes + begin);
    return end;
  });
}

inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a == b || std::ranges::equal(a, b, {}, to_lower, to_lower);  // mostly the very same bytes
}

}  // namespace flagstone::net
