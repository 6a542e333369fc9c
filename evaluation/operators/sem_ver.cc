#include "evaluation/operators/sem_ver.h"

#include <optional>

#include "evaluation/operators/coercion.h"

namespace flagstone::evaluation::operators {
namespace {

// Digits only, compared as text so that they may be of any length.
struct Version {
  std::string_view major;
  std::string_view minor = "0";
  std::string_view patch = "0";
  std::string_view prerelease;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Takes a number without leading zeros off the front.
bool take_number(std::string_view& text, std::string_view& number) {
  std::size_t size = 0;
  while (size < text.size() && is_digit(text[size])) ++size;
  if (size == 0 || (size > 1 && text[0] == '0')) return false;
  number = text.substr(0, size);
  text.remove_prefix(size);
  return true;
}

bool take_dot_number(std::string_view& text, std::string_view& number) {
  if (text.empty() || text[0] != '.') return false;
  text.remove_prefix(1);
  return take_number(text, number);
}

// Takes the identifier up to the next dot off the front.
std::string_view take_identifier(std::string_view& text) {
  const std::size_t dot = text.find('.');
  const std::string_view identifier = text.substr(0, dot);
  text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
  return identifier;
}

bool are_identifiers(std::string_view text, bool zeros_may_lead) {
  if (text.empty() || text.back() == '.') return false;
  while (!text.empty()) {
    const std::string_view identifier = take_identifier(text);
    if (identifier.empty()) return false;
    for (const char c : identifier) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (!letter && !is_digit(c) && c != '-') return false;
    }
    const bool leading_zero = identifier.size() > 1 && identifier[0] == '0';
    if (!zeros_may_lead && leading_zero && is_number(identifier)) return false;
  }
  return true;
}

std::optional<Version> parse(std::string_view text) {
  if (text.starts_with('v') || text.starts_with('V')) text.remove_prefix(1);
  Version version;
  if (!take_number(text, version.major)) return std::nullopt;
  if (text.empty()) return version;
  if (!take_dot_number(text, version.minor)) return std::nullopt;
  if (text.empty()) return version;
  if (!take_dot_number(text, version.patch)) return std::nullopt;
  if (text.starts_with('-')) {
    const std::size_t plus = text.find('+');
    version.prerelease = text.substr(1, plus == std::string_view::npos ? plus : plus - 1);
    if (!are_identifiers(version.prerelease, false)) return std::nullopt;
    text.remove_prefix(plus == std::string_view::npos ? text.size() : plus);
  }
  if (text.starts_with('+')) {
    if (!are_identifiers(text.substr(1), true)) return std::nullopt;
    text = {};
  }
  if (!text.empty()) return std::nullopt;
  return version;
}

int compare_numbers(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

int compare_prereleases(std::string_view a, std::string_view b) {
  // A release comes after its prereleases.
  if (a.empty() || b.empty()) return a.empty() ? (b.empty() ? 0 : 1) : -1;
  while (!a.empty() && !b.empty()) {
    const std::string_view left = take_identifier(a);
    const std::string_view right = take_identifier(b);
    if (left == right) continue;
    const bool left_number = is_number(left);
    const bool right_number = is_number(right);
    if (left_number != right_number) return left_number ? -1 : 1;
    return left_number ? compare_numbers(left, right) : left.compare(right);
  }
  return a.empty() ? (b.empty() ? 0 : -1) : 1;
}

int compare(const Version& a, const Version& b) {
  if (const int major = compare_numbers(a.major, b.major)) return major;
  if (const int minor = compare_numbers(a.minor, b.minor)) return minor;
  if (const int patch = compare_numbers(a.patch, b.patch)) return patch;
  return compare_prereleases(a.prerelease, b.prerelease);
}

std::optional<bool> holds(const Version& a, std::string_view relation, const Version& b) {
  if (relation == "=") return compare(a, b) == 0;
  if (relation == "!=") return compare(a, b) != 0;
  if (relation == "<") return compare(a, b) < 0;
  if (relation == "<=") return compare(a, b) <= 0;
  if (relation == ">") return compare(a, b) > 0;
  if (relation == ">=") return compare(a, b) >= 0;
  if (relation == "^") return a.major == b.major;
  if (relation == "~") return a.major == b.major && a.minor == b.minor;
  return std::nullopt;
}

std::optional<Version> version_of(const Value& value, Arena& arena) {
  if (!value.is_string() && !value.is_number()) return std::nullopt;
  const auto text = text_of(value, arena);
  return text ? parse(*text) : std::nullopt;
}

}  // namespace

Outcome sem_ver(const Value& arguments, Arena& arena) {
  if (!arguments.is_array() || arguments.items().size() != 3) return Value::null();
  const auto items = arguments.items();
  const auto left = version_of(items[0], arena);
  const auto right = version_of(items[2], arena);
  if (!left || !right || !items[1].is_string()) return Value::null();
  const auto result = holds(*left, items[1].as_string(), *right);
  return result ? Value::boolean(*result) : Value::null();
}

}  // namespace flagstone::evaluation::operators
