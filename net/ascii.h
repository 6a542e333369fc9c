// Letters of ASCII, whose case means nothing in names of fields, hosts and schemes. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace flagstone::net {

// Without a branch, so that compilers lower many bytes at once.
constexpr char to_lower(char c) {
  const bool upper = static_cast<unsigned char>(c - 'A') <= 'Z' - 'A';
  return static_cast<char>(c | (upper ? 'a' - 'A' : 0));
}

inline void append_lower(std::string_view text, std::string& out) {
  const std::size_t begin = out.size();
  const std::size_t end = begin + text.size();
  // The size handed in is not looked at: libstdc++ 12 hands in the capacity when the text moved.
  out.resize_and_overwrite(end, [&](char* bytes, std::size_t) {
    std::transform(text.begin(), text.end(), bytes + begin, to_lower);
    return end;
  });
}

inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

}  // namespace flagstone::net
