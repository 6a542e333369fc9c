// Appends protobuf's building blocks to a string.
//
// Pure functions; they allocate only when the string must grow. Source: protobuf.dev, "Encoding".
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace flagstone::evaluation::flagd {

enum class WireTag : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2 };

// Of fields below 16, which are all of ours: one byte.
constexpr char tag_byte(std::uint32_t field, WireTag type) {
  return static_cast<char>(field << 3 | static_cast<std::uint32_t>(type));
}

constexpr std::size_t varint_size(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

inline void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

inline void append_bytes_head(std::string& out, std::uint32_t field, std::size_t size) {
  out.push_back(tag_byte(field, WireTag::kBytes));
  append_varint(out, size);
}

inline void append_bytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  append_bytes_head(out, field, bytes.size());
  out.append(bytes);
}

inline void append_number(std::string& out, std::uint32_t field, std::uint64_t value) {
  out.push_back(tag_byte(field, WireTag::kVarint));
  append_varint(out, value);
}

inline void append_double(std::string& out, std::uint32_t field, double value) {
  static_assert(std::endian::native == std::endian::little);
  char bits[sizeof value];
  std::memcpy(bits, &value, sizeof value);
  out.push_back(tag_byte(field, WireTag::kFixed64));
  out.append(bits, sizeof bits);
}

// The size of a field of bytes, with its tag and its length.
constexpr std::size_t bytes_field_size(std::size_t size) { return 1 + varint_size(size) + size; }

}  // namespace flagstone::evaluation::flagd
