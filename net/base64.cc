#include "net/base64.h"

#include <array>
#include <cstdint>

namespace flagstone::net {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 0xff;

constexpr std::array<std::uint8_t, 256> make_digits() {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return digits;
}
constexpr std::array<std::uint8_t, 256> kDigits = make_digits();
constexpr std::array<std::uint8_t, 256> kDigitsInUrls = [] {
  std::array<std::uint8_t, 256> digits = make_digits();
  digits['-'] = digits['+'];
  digits['_'] = digits['/'];
  return digits;
}();

std::uint32_t byte_at(const char* at) { return static_cast<unsigned char>(*at); }
char letter(std::uint32_t bits) { return kAlphabet[bits & 0x3f]; }

}  // namespace

// From the end: each group is written behind everything that is still to be read.
void encode_base64_from(std::size_t begin, std::string& text) {
  const std::size_t bytes = text.size() - begin;
  const std::size_t groups = (bytes + 2) / 3;
  text.resize(begin + groups * 4);
  for (std::size_t group = groups; group-- > 0;) {
    const char* from = text.data() + begin + group * 3;
    const std::size_t left = bytes - group * 3;
    std::uint32_t bits = byte_at(from) << 16;
    if (left > 1) bits |= byte_at(from + 1) << 8;
    if (left > 2) bits |= byte_at(from + 2);
    char* to = text.data() + begin + group * 4;
    to[0] = letter(bits >> 18);
    to[1] = letter(bits >> 12);
    to[2] = left > 1 ? letter(bits >> 6) : '=';
    to[3] = left > 2 ? letter(bits) : '=';
  }
}

bool decode_base64(std::string_view text, std::string& out) {
  if (text.size() % 4 != 0) return false;
  out.reserve(out.size() + text.size() / 4 * 3);
  for (std::size_t at = 0; at < text.size(); at += 4) {
    const std::string_view group = text.substr(at, 4);
    const std::size_t padding = group[3] != '=' ? 0 : group[2] != '=' ? 1 : 2;
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 4 - padding; ++i) {
      const std::uint8_t digit = kDigits[static_cast<unsigned char>(group[i])];
      if (digit == kNoDigit) return false;
      bits |= std::uint32_t{digit} << (18 - 6 * i);
    }
    out.push_back(static_cast<char>(bits >> 16));
    if (padding < 2) out.push_back(static_cast<char>(bits >> 8 & 0xff));
    if (padding < 1) out.push_back(static_cast<char>(bits & 0xff));
  }
  return true;
}

std::optional<std::string> decode_base64url(std::string_view text) {
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  // A single digit at the end holds no byte.
  if (text.size() % 4 == 1) return std::nullopt;
  std::string decoded;
  decoded.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::uint8_t digit = kDigitsInUrls[static_cast<unsigned char>(c)];
    if (digit == kNoDigit) return std::nullopt;
    bits = bits << 6 | digit;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    decoded += static_cast<char>(bits >> count & 0xFF);
  }
  return decoded;
}

}  // namespace flagstone::net
