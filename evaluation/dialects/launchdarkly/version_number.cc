#include "evaluation/dialects/launchdarkly/version_number.h"

#include <algorithm>

namespace flagstone::evaluation::launchdarkly {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<std::int64_t> number_of(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : text) number = number * 10 + static_cast<std::uint64_t>(c - '0');
  return static_cast<std::int64_t>(number);
}

// Takes what stands before the first of `endings` off the front, the ending too; `ending` is it, or
// 0 at the end.
std::string_view take_until(std::string_view& text, std::string_view endings, char& ending) {
  const std::size_t size = std::min(text.find_first_of(endings), text.size());
  const std::string_view taken = text.substr(0, size);
  ending = size == text.size() ? '\0' : text[size];
  text.remove_prefix(std::min(text.size(), size + 1));
  return taken;
}

bool take_number(std::string_view& text, std::string_view endings, char& ending,
                 std::int64_t& out) {
  const auto number = number_of(take_until(text, endings, ending));
  if (number) out = *number;
  return number.has_value();
}

// Identifiers with dots between them.
bool are_identifiers(std::string_view text, bool zeros_may_lead) {
  for (char ending = '.'; ending == '.';) {
    const std::string_view identifier = take_until(text, ".", ending);
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
    char ending = 0;
    const std::string_view left = take_until(a, ".", ending);
    const std::string_view right = take_until(b, ".", ending);
    if (const auto order = compare_identifiers(left, right); order != 0) return order;
  }
  return b.empty() <=> a.empty();
}

}  // namespace

std::optional<VersionNumber> read_version(std::string_view text) {
  VersionNumber version;
  char ending = 0;
  if (!take_number(text, ".-+", ending, version.major)) return std::nullopt;
  if (ending == '.' && !take_number(text, ".-+", ending, version.minor)) return std::nullopt;
  if (ending == '.' && !take_number(text, "-+", ending, version.patch)) return std::nullopt;
  if (ending == '-') {
    version.prerelease = take_until(text, "+", ending);
    if (!are_identifiers(version.prerelease, false)) return std::nullopt;
  }
  if (ending == '+' && !are_identifiers(text, true)) return std::nullopt;
  return version;
}

std::strong_ordering compare(const VersionNumber& a, const VersionNumber& b) {
  if (const auto order = a.major <=> b.major; order != 0) return order;
  if (const auto order = a.minor <=> b.minor; order != 0) return order;
  if (const auto order = a.patch <=> b.patch; order != 0) return order;
  return compare_prereleases(a.prerelease, b.prerelease);
}

}  // namespace flagstone::evaluation::launchdarkly
