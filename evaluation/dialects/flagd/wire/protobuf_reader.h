// Walks the fields of one encoded protobuf message: bytes in, views out.
//
// A view over the message, one thread, no allocation, no message classes. Anything malformed ends
// the walk: next() is false and failed() true. Source: protobuf.dev, "Encoding".
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

namespace flagstone::evaluation::flagd {

class ProtobufReader {
 public:
  enum class WireType : std::uint8_t {
    kVarint = 0,
    kFixed64 = 1,
    kBytes = 2,
    kBeginGroup = 3,
    kEndGroup = 4,
    kFixed32 = 5,
  };

  explicit ProtobufReader(std::string_view message)
      : at_(message.data()), end_(message.data() + message.size()) {}

  // Goes to the next field; what it holds is in number() or bytes(). Groups, which nobody of ours
  // sends, are passed over whole.
  bool next() {
    while (at_ != end_) {
      if (!read_tag()) return fail();
      if (type_ == WireType::kEndGroup) return fail();
      if (type_ == WireType::kBeginGroup) {
        if (!skip_group()) return fail();
        continue;
      }
      return read_payload() || fail();
    }
    return false;
  }
  bool failed() const { return failed_; }

  std::uint32_t field() const { return field_; }
  WireType type() const { return type_; }
  bool is(std::uint32_t field, WireType type) const { return field_ == field && type_ == type; }
  // Of kVarint, and the bits of the fixed ones.
  std::uint64_t number() const { return number_; }
  // Of kFixed64.
  double as_double() const { return std::bit_cast<double>(number_); }
  // Of kBytes: points into the message.
  std::string_view bytes() const { return bytes_; }

 private:
  static constexpr int kFieldShift = 3;
  static constexpr std::uint64_t kTypeMask = 7;
  static constexpr std::size_t kVarintBytesMax = 10;
  // Groups within groups that are passed over.
  static constexpr int kGroupDepthMax = 32;

  bool fail() {
    at_ = end_;
    failed_ = true;
    return false;
  }
  bool read_varint(std::uint64_t& value) {
    if (at_ != end_ && static_cast<signed char>(*at_) >= 0) {
      value = static_cast<unsigned char>(*at_++);
      return true;
    }
    value = 0;
    for (std::size_t i = 0; i < kVarintBytesMax && at_ != end_; ++i) {
      const std::uint64_t byte = static_cast<unsigned char>(*at_++);
      value |= (byte & 0x7F) << (7 * i);
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool read_tag() {
    std::uint64_t tag = 0;
    if (!read_varint(tag) || tag > std::numeric_limits<std::uint32_t>::max()) return false;
    field_ = static_cast<std::uint32_t>(tag >> kFieldShift);
    type_ = static_cast<WireType>(tag & kTypeMask);
    return field_ != 0;
  }
  bool read_payload() {
    switch (type_) {
      case WireType::kVarint:
        return read_varint(number_);
      case WireType::kFixed64:
        return read_fixed<std::uint64_t>();
      case WireType::kFixed32:
        return read_fixed<std::uint32_t>();
      case WireType::kBytes: {
        std::uint64_t size = 0;
        if (!read_varint(size) || size > static_cast<std::size_t>(end_ - at_)) return false;
        bytes_ = {at_, static_cast<std::size_t>(size)};
        at_ += size;
        return true;
      }
      default:  // Groups are the caller's; 6 and 7 do not exist.
        return false;
    }
  }
  template <typename Fixed>
  bool read_fixed() {
    static_assert(std::endian::native == std::endian::little);
    if (static_cast<std::size_t>(end_ - at_) < sizeof(Fixed)) return false;
    Fixed bits = 0;
    std::memcpy(&bits, at_, sizeof bits);
    number_ = bits;
    at_ += sizeof bits;
    return true;
  }
  // REQUIRES: a group's begin was just read. Each end has to name its own begin's field.
  bool skip_group() {
    std::uint32_t open[kGroupDepthMax];
    int depth = 0;
    open[depth++] = field_;
    while (depth > 0) {
      if (at_ == end_ || !read_tag()) return false;
      if (type_ == WireType::kBeginGroup) {
        if (depth == kGroupDepthMax) return false;
        open[depth++] = field_;
      } else if (type_ == WireType::kEndGroup) {
        if (open[--depth] != field_) return false;
      } else if (!read_payload()) {
        return false;
      }
    }
    return true;
  }

  const char* at_;
  const char* end_;
  std::uint64_t number_ = 0;
  std::string_view bytes_;
  std::uint32_t field_ = 0;
  WireType type_ = WireType::kVarint;
  bool failed_ = false;
};

}  // namespace flagstone::evaluation::flagd
