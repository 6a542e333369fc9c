#include "evaluation/dialects/launchdarkly/version_number.h"

#include <algorithm>

namespace flagstone::evaluation::launchdarkly {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes the digits at the front, of which there must be one, and no others behind a zero.
bool take_number(std::string_view& text, std::int64_t& out) {
  std::uint64_t number = 0;
  std::size_t size = 0;
  for (; size < text.size() && is_digit(text[size]); ++size) {
    number = number * 10 + static_cast<std::uint64_t>(text[size] - '0');
  }
  if (size == 0 || (size > 1 && text.front() == '0')) return false;
  text.remove_prefix(size);
  out = static_cast<std::int64_t>(number);
  return true;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  if (!take_number(text, number) || !text.empty()) return std::nullopt;
  return number;
}

// Takes what stands before the first such character off the front, the character too.
std::string_view take_until(std::string_view& text, char ending) {
  const std::string_view taken = text.substr(0, text.find(ending));
  text.remove_prefix(std::min(text.size(), taken.size() + 1));
  return taken;
}

// Identifiers with dots between them.
bool are_identifiers(std::string_view text, bool zeros_may_lead) {
  bool another = true;
  while (another) {
    another = text.find('.') != std::string_view::npos;
    const std::string_view identifier = take_until(text, '.');
    if (identifier.empty()) return false;
    for (const char c : identifier) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (!letter && !is_digit(c) && c != '-') return false;
    }
    const bool leading_zero = identifier.size() > 1 && identifier.front() == '0';
    if (!zeros_may_lead && leading_zero && std::ranges::all_of(identifier, is_digit)) return false;
  }
  return true;
}

std::strong_ordering compare_identifiers(std::string_view a, std::string_view b) {
  const auto left = number_of(a);
  const auto right = number_of(b);
  if (left && right) return *left <=> *right;
  if (left) return std::strong_ordering::less;
  if (right) return std::strong_ordering::greater;
  return a <=> b;
}

std::strong_ordering compare_prereleases(std::string_view a, std::string_view b) {
  // A release comes after its prereleases.
  if (a.empty() || b.empty()) return a.empty() <=> b.empty();
  while (!a.empty() && !b.empty()) {
    const std::string_view left = take_until(a, '.');
    const std::string_view right = take_until(b, '.');
    if (const auto order = compare_identifiers(left, right); order != 0) return order;
  }
  return b.empty() <=> a.empty();
}

}  // namespace

std::optional<VersionNumber> read_version(std::string_view text) {
  VersionNumber version;
  if (!take_number(text, version.major)) return std::nullopt;
  if (take(text, '.')) {
    if (!take_number(text, version.minor)) return std::nullopt;
    if (take(text, '.') && !take_number(text, version.patch)) return std::nullopt;
  }
  if (take(text, '-')) {
    version.prerelease = text.substr(0, text.find('+'));
    text.remove_prefix(version.prerelease.size());
    if (!are_identifiers(version.prerelease, false)) return std::nullopt;
  }
  const bool ends_well = take(text, '+') ? are_identifiers(text, true) : text.empty();
  return ends_well ? std::optional(version) : std::nullopt;
}

std::strong_ordering compare(const VersionNumber& a, const VersionNumber& b) {
  if (const auto order = a.major <=> b.major; order != 0) return order;
  if (const auto order = a.minor <=> b.minor; order != 0) return order;
  if (const auto order = a.patch <=> b.patch; order != 0) return order;
  return compare_prereleases(a.prerelease, b.prerelease);
}

}  // namespace flagstone::evaluation::launchdarkly
