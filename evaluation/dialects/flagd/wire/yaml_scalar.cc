#include "evaluation/dialects/flagd/wire/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "evaluation/json_syntax.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::flagd {
namespace {

template <std::size_t N>
bool is_one_of(std::string_view value, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), value) != words.end();
}

constexpr std::array<std::string_view, 5> kNulls = {"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 3> kTrues = {"true", "True", "TRUE"};
constexpr std::array<std::string_view, 3> kFalses = {"false", "False", "FALSE"};
constexpr std::array<std::string_view, 3> kInfinities = {".inf", ".Inf", ".INF"};
constexpr std::array<std::string_view, 3> kNans = {".nan", ".NaN", ".NAN"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// `0x1F`, `0o17`, `0b11`, and `017` as octal the way flagd's YAML reader takes it.
std::optional<std::string> based_integer(std::string_view digits, bool negative) {
  if (digits.size() < 2 || digits[0] != '0') return std::nullopt;
  int base = 8;
  std::string_view rest = digits.substr(1);
  if (digits[1] == 'x' || digits[1] == 'o' || digits[1] == 'b') {
    base = digits[1] == 'x' ? 16 : digits[1] == 'o' ? 8 : 2;
    rest.remove_prefix(1);
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number, base);
  if (rest.empty() || error != std::errc() || end != rest.data() + rest.size()) return std::nullopt;
  std::string out;
  if (negative) out.push_back('-');
  return out.append(std::to_string(number));
}

// Digits, point and exponent as YAML allows and JSON does not: `+1`, `.5`, `1.`, `007.5`.
std::optional<std::string> decimal(std::string_view text, bool negative) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return text.substr(from, at - from);
  };
  std::string_view whole = digits();
  std::string_view fraction;
  const bool point = at < text.size() && text[at] == '.';
  if (point) {
    ++at;
    fraction = digits();
  }
  if (whole.empty() && fraction.empty()) return std::nullopt;
  std::string_view exponent = text.substr(at);
  if (!exponent.empty()) {
    if ((exponent[0] | 0x20) != 'e') return std::nullopt;
    std::string_view power = exponent.substr(1);
    if (!power.empty() && (power[0] == '+' || power[0] == '-')) power.remove_prefix(1);
    if (power.empty() || !std::all_of(power.begin(), power.end(), is_digit)) return std::nullopt;
  }
  while (whole.size() > 1 && whole[0] == '0') whole.remove_prefix(1);
  std::string out;
  if (negative) out.push_back('-');
  out += whole.empty() ? "0" : whole;
  if (point) out.append(".").append(fraction.empty() ? "0" : fraction);
  return out.append(exponent);
}

std::optional<std::string> number(std::string_view value) {
  const bool plain_json =
      (value[0] == '-' || is_digit(value[0])) && check_json(value, 0).has_value();
  if (plain_json) return std::string(value);
  const bool negative = value[0] == '-';
  if (negative || value[0] == '+') value.remove_prefix(1);
  if (value.empty() || !(is_digit(value[0]) || value[0] == '.')) return std::nullopt;
  std::string digits(value);
  std::erase(digits, '_');
  if (auto integer = based_integer(digits, negative)) return integer;
  return decimal(digits, negative);
}

std::string quoted(std::string_view value) {
  std::string out;
  append_json_string(out, value);
  return out;
}

}  // namespace

std::expected<std::string, std::string> yaml_scalar_to_json(std::string_view value,
                                                            std::string_view tag) {
  constexpr std::string_view kCore = "tag:yaml.org,2002:";
  if (tag == "!" || tag == "tag:yaml.org,2002:str") return quoted(value);
  const bool plain = tag.empty() || tag == "?";
  if (!plain && !tag.starts_with(kCore)) {
    return std::unexpected("unknown YAML tag " + std::string(tag));
  }
  if (is_one_of(value, kNulls)) return "null";
  if (is_one_of(value, kTrues)) return "true";
  if (is_one_of(value, kFalses)) return "false";
  std::string_view unsigned_value = value;
  if (value[0] == '-' || value[0] == '+') unsigned_value.remove_prefix(1);
  if (is_one_of(unsigned_value, kInfinities) || is_one_of(value, kNans)) {
    return std::unexpected("JSON has no " + std::string(value));
  }
  if (auto text = number(value)) return *text;
  return quoted(value);
}

}  // namespace flagstone::evaluation::flagd
