#include "evaluation/operators/cbor.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>

namespace flagstone::evaluation::operators {
namespace {

enum Major : unsigned {
  kUnsigned = 0,
  kNegative = 1,
  kText = 3,
  kArray = 4,
  kMap = 5,
  kSimple = 7
};

// Writes into room of a fixed size and remembers when it did not suffice.
class Writer {
 public:
  explicit Writer(std::span<char> room) : room_(room) {}

  void head(Major major, std::uint64_t argument) {
    if (argument < 24) return byte(major << 5 | static_cast<unsigned>(argument));
    const unsigned width = argument <= 0xFF      ? 0
                           : argument <= 0xFFFF  ? 1
                           : argument >> 32 == 0 ? 2
                                                 : 3;
    sized(major, width, argument);
  }
  void sized(Major major, unsigned width, std::uint64_t bits) {
    byte(major << 5 | (24 + width));
    for (unsigned left = 1U << width; left-- > 0;) byte(static_cast<unsigned>(bits >> (8 * left)));
  }
  void byte(unsigned value) {
    if (size_ < room_.size()) room_[size_] = static_cast<char>(value);
    ++size_;
  }
  void text(std::string_view text) {
    head(kText, text.size());
    for (const char c : text) byte(static_cast<unsigned char>(c));
  }
  std::size_t size() const { return size_; }

 private:
  std::span<char> room_;
  std::size_t size_ = 0;
};

// The half-precision bits, if the number survives the round trip.
std::optional<std::uint16_t> as_half(float number) {
  const auto bits = std::bit_cast<std::uint32_t>(number);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  const int exponent = static_cast<int>(bits >> 23 & 0xFF) - 127;
  const std::uint32_t mantissa = bits & 0x7FFFFF;
  if (exponent == 128)
    return static_cast<std::uint16_t>(sign | 0x7C00 | (mantissa != 0 ? 0x200 : 0));
  if (exponent >= -14 && exponent <= 15 && (mantissa & 0x1FFF) == 0) {
    return static_cast<std::uint16_t>(sign | static_cast<std::uint32_t>(exponent + 15) << 10 |
                                      mantissa >> 13);
  }
  if (exponent >= -24 && exponent < -14) {
    // A subnormal half: the leading one becomes explicit and moves right.
    const auto shift = static_cast<unsigned>(-exponent - 1);
    const std::uint32_t whole = mantissa | 0x800000;
    if ((whole & ((1U << shift) - 1)) == 0)
      return static_cast<std::uint16_t>(sign | whole >> shift);
  }
  return std::nullopt;
}

void write_double(Writer& out, double number) {
  constexpr double kTwo63 = 9223372036854775808.0;
  if (std::trunc(number) == number && number >= -kTwo63 && number < 2 * kTwo63) {
    if (number >= 0) return out.head(kUnsigned, static_cast<std::uint64_t>(number));
    return out.head(kNegative,
                    static_cast<std::uint64_t>(-(static_cast<std::int64_t>(number) + 1)));
  }
  const auto single = static_cast<float>(number);
  if (static_cast<double>(single) != number && !std::isnan(number)) {
    return out.sized(kSimple, 3, std::bit_cast<std::uint64_t>(number));
  }
  if (const auto half = as_half(single)) return out.sized(kSimple, 1, *half);
  out.sized(kSimple, 2, std::bit_cast<std::uint32_t>(single));
}

// Shorter names sort first, because their encoded length comes first.
bool sorts_before(const Member* a, const Member* b) {
  if (a->name.size() != b->name.size()) return a->name.size() < b->name.size();
  return a->name < b->name;
}

void write(Writer& out, const Value& value, Arena& arena);

void write_object(Writer& out, std::span<const Member> members, Arena& arena) {
  const auto sorted = arena.make_array<const Member*>(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) sorted[i] = &members[i];
  // Equal names stay in their order, by address; the last of them is kept.
  std::sort(sorted.begin(), sorted.end(), [](const Member* a, const Member* b) {
    return a->name == b->name ? a < b : sorts_before(a, b);
  });
  const auto is_last = [&](std::size_t i) {
    return i + 1 == sorted.size() || sorted[i]->name != sorted[i + 1]->name;
  };
  std::size_t count = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) count += is_last(i);
  out.head(kMap, count);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (!is_last(i)) continue;
    out.text(sorted[i]->name);
    write(out, sorted[i]->value, arena);
  }
}

void write(Writer& out, const Value& value, Arena& arena) {
  switch (value.type()) {
    case Value::Type::kNull:
      return out.byte(kSimple << 5 | 22);
    case Value::Type::kBool:
      return out.byte(kSimple << 5 | (value.as_bool() ? 21 : 20));
    case Value::Type::kInt:
      if (value.as_int() >= 0) {
        return out.head(kUnsigned, static_cast<std::uint64_t>(value.as_int()));
      }
      return out.head(kNegative, static_cast<std::uint64_t>(-(value.as_int() + 1)));
    case Value::Type::kUnsigned:
      return out.head(kUnsigned, value.as_unsigned());
    case Value::Type::kDouble:
      return write_double(out, value.as_double());
    case Value::Type::kString:
      return out.text(value.as_string());
    case Value::Type::kArray:
      out.head(kArray, value.items().size());
      for (const Value& item : value.items()) write(out, item, arena);
      return;
    case Value::Type::kObject:
      return write_object(out, value.members(), arena);
  }
}

}  // namespace

std::string_view encode_cbor(const Value& value, Arena& arena) {
  // Most values are short strings; a second pass with the right room serves the others.
  constexpr std::size_t kFirstRoom = 256;
  const auto room = arena.make_array<char>(kFirstRoom);
  Writer out(room);
  write(out, value, arena);
  if (out.size() <= kFirstRoom) return {room.data(), out.size()};
  if (out.size() > kCborBytesMax) return {};
  const auto large = arena.make_array<char>(out.size());
  Writer again(large);
  write(again, value, arena);
  return {large.data(), large.size()};
}

}  // namespace flagstone::evaluation::operators
