#include "evaluation/operators/numbers.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>

namespace flagstone::evaluation::operators {
namespace {

// Room for the digits, sign and exponent of any double in scientific form.
using Digits = std::array<char, 32>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

// Whether the text is digits with at most one point and an exponent, and how large it roughly is:
// the decimal exponent of its first significant digit.
bool is_decimal(std::string_view text, std::int64_t& magnitude) {
  std::size_t at = 0;
  std::int64_t before_point = 0;
  std::int64_t zeros_after_point = 0;
  bool digits = false;
  bool significant = false;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    digits = true;
    significant = significant || text[at] != '0';
    before_point += significant;
  }
  if (at < text.size() && text[at] == '.') {
    for (++at; at < text.size() && is_digit(text[at]); ++at) {
      digits = true;
      significant = significant || text[at] != '0';
      zeros_after_point += !significant;
    }
  }
  if (!digits) return false;
  magnitude = before_point > 0 ? before_point : -zeros_after_point;
  if (at == text.size()) return true;
  if ((text[at] | 0x20) != 'e') return false;
  ++at;
  const bool negative = at < text.size() && text[at] == '-';
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  if (at == text.size()) return false;
  std::int64_t exponent = 0;
  for (; at < text.size(); ++at) {
    if (!is_digit(text[at])) return false;
    if (exponent < 1'000'000'000) exponent = exponent * 10 + (text[at] - '0');
  }
  magnitude += negative ? -exponent : exponent;
  return true;
}

ParsedNumber parse_hexadecimal(std::string_view digits, double sign) {
  // Go demands the exponent.
  if (digits.find_first_of("pP") == std::string_view::npos) return {};
  double value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::hex);
  if (end != digits.data() + digits.size() || error == std::errc::invalid_argument) return {};
  if (error == std::errc::result_out_of_range) {
    const bool tiny = digits.find('-') != std::string_view::npos;
    if (tiny) return {0, ParsedAs::kNumber};
    return {sign * std::numeric_limits<double>::infinity(), ParsedAs::kOutOfRange};
  }
  return {sign * value, ParsedAs::kNumber};
}

// Underscores may stand between digits, and between a base's prefix and a digit.
bool without_underscores(std::string_view text, std::string& out) {
  const auto is_hex_digit = [](char c) {
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
  };
  const std::size_t sign = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  const bool hex = text.size() > sign + 1 && text[sign] == '0' && (text[sign + 1] | 0x20) == 'x';
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out.push_back(text[i]);
      continue;
    }
    if (i == 0 || i + 1 == text.size()) return false;
    const auto counts = [&](char c) { return hex ? is_hex_digit(c) : is_digit(c); };
    const bool after_prefix = hex && i == sign + 2;
    if (!(counts(text[i - 1]) || after_prefix) || !counts(text[i + 1])) return false;
  }
  return true;
}

}  // namespace

ParsedNumber parse_number(std::string_view text) {
  std::string plain;
  if (text.find('_') != std::string_view::npos) {
    if (!without_underscores(text, plain)) return {};
    text = plain;
  }
  if (equals_ignoring_case(text, "nan")) {
    return {std::numeric_limits<double>::quiet_NaN(), ParsedAs::kNumber};
  }
  double sign = 1;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    sign = text[0] == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (equals_ignoring_case(text, "inf") || equals_ignoring_case(text, "infinity")) {
    return {sign * kInfinity, ParsedAs::kNumber};
  }
  if (text.size() > 2 && text[0] == '0' && (text[1] | 0x20) == 'x') {
    return parse_hexadecimal(text.substr(2), sign);
  }
  std::int64_t magnitude = 0;
  if (!is_decimal(text, magnitude)) return {};
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec == std::errc::result_out_of_range) {
    if (magnitude < 0) return {sign * 0.0, ParsedAs::kNumber};
    return {sign * kInfinity, ParsedAs::kOutOfRange};
  }
  return {sign * value, ParsedAs::kNumber};
}

void append_fixed(std::string& out, double number) {
  if (number == 0) {
    out += std::signbit(number) ? "-0" : "0";
    return;
  }
  Digits text;
  const char* end =
      std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::scientific)
          .ptr;
  std::string_view scientific(text.data(), static_cast<std::size_t>(end - text.data()));
  if (scientific[0] == '-') {
    out.push_back('-');
    scientific.remove_prefix(1);
  }
  const std::size_t mark = scientific.find('e');
  int exponent = 0;
  const bool negative = scientific[mark + 1] == '-';
  std::from_chars(scientific.data() + mark + 2, scientific.data() + scientific.size(), exponent);
  if (negative) exponent = -exponent;
  std::array<char, 24> digits{};
  std::size_t count = 0;
  for (const char c : scientific.substr(0, mark)) {
    if (c != '.') digits[count++] = c;
  }
  if (exponent < 0) {
    out.append("0.").append(static_cast<std::size_t>(-exponent - 1), '0');
    out.append(digits.data(), count);
    return;
  }
  const std::size_t whole = static_cast<std::size_t>(exponent) + 1;
  out.append(digits.data(), std::min(whole, count));
  if (whole > count) {
    out.append(whole - count, '0');
  } else if (whole < count) {
    out.push_back('.');
    out.append(digits.data() + whole, count - whole);
  }
}

void append_json_number(std::string& out, double number) {
  const double size = std::fabs(number);
  if (size == 0 || (size >= 1e-6 && size < 1e21)) return append_fixed(out, number);
  Digits text;
  const char* end =
      std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::scientific)
          .ptr;
  std::string_view scientific(text.data(), static_cast<std::size_t>(end - text.data()));
  // Two digits of a negative exponent lose their zero: 1e-07 becomes 1e-7.
  const std::size_t mark = scientific.find('e');
  out.append(scientific.substr(0, mark + 2));
  scientific.remove_prefix(mark + 2);
  if (scientific[0] == '0') scientific.remove_prefix(1);
  out.append(scientific);
}

std::int64_t truncate(double number) {
  constexpr double kLimit = 9223372036854775808.0;
  if (!(number >= -kLimit && number < kLimit)) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(number);
}

}  // namespace flagstone::evaluation::operators
