// Little-endian numbers and length-prefixed texts, for the state's files.
//
// Pure. The reader never reads past its end: it turns bad and gives zeros, which the caller checks
// once at the end.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace flagstone::cache {

template <std::unsigned_integral T>
void append_number(std::string& out, T number) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out += static_cast<char>(static_cast<unsigned char>(number >> (8 * i)));
  }
}
inline void append_signed(std::string& out, std::int64_t number) {
  append_number(out, static_cast<std::uint64_t>(number));
}
inline void append_text(std::string& out, std::string_view text) {
  append_number(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <std::unsigned_integral T>
  T number() {
    if (bytes_.size() < sizeof(T)) return bad_ = true, T{0};
    std::uint64_t value = 0;
    for (std::size_t i = sizeof(T); i-- > 0;) {
      value = (value << 8) | static_cast<unsigned char>(bytes_[i]);
    }
    bytes_.remove_prefix(sizeof(T));
    return static_cast<T>(value);
  }
  std::int64_t signed_number() { return static_cast<std::int64_t>(number<std::uint64_t>()); }
  std::string_view text() {
    const std::size_t size = number<std::uint32_t>();
    if (bytes_.size() < size) return bad_ = true, std::string_view();
    const std::string_view text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return text;
  }
  // Everything was there, and nothing is left.
  bool complete() const { return !bad_ && bytes_.empty(); }
  bool bad() const { return bad_; }

 private:
  std::string_view bytes_;
  bool bad_ = false;
};

}  // namespace flagstone::cache
