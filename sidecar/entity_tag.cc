#include "sidecar/entity_tag.h"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>

namespace flagstone::sidecar {
namespace {

// strftime's and strptime's names depend on the locale; these do not.
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr int kFirstYear = 1900;
// "Sun, 06 Nov 1994 08:49:37 GMT": where its parts stand.
constexpr std::size_t kDateSize = 29;
constexpr std::string_view kDateForm = "???, 00 ??? 0000 00:00:00 GMT";

bool has_date_form(std::string_view text) {
  if (text.size() != kDateSize) return false;
  for (std::size_t i = 0; i < kDateSize; ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kDateForm[i] == '0' ? !digit : kDateForm[i] != '?' && kDateForm[i] != text[i]) return false;
  }
  return true;
}

int number_at(std::string_view text, std::size_t at, std::size_t digits) {
  int number = 0;
  for (const char c : text.substr(at, digits)) number = number * 10 + (c - '0');
  return number;
}

}  // namespace

EntityTag::EntityTag(const evaluation::Digest128& digest) {
  const auto digits = evaluation::hex(digest);
  text_.front() = '"';
  std::copy(digits.begin(), digits.end(), text_.begin() + 1);
  text_.back() = '"';
}

bool EntityTag::matches(std::string_view if_none_match) const {
  while (!if_none_match.empty()) {
    const std::size_t comma = std::min(if_none_match.find(','), if_none_match.size());
    std::string_view tag = if_none_match.substr(0, comma);
    if_none_match.remove_prefix(std::min(comma + 1, if_none_match.size()));
    while (tag.starts_with(' ') || tag.starts_with('\t')) tag.remove_prefix(1);
    while (tag.ends_with(' ') || tag.ends_with('\t')) tag.remove_suffix(1);
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    // No tag of ours has a comma in it, so cutting at commas cannot make one up.
    if (tag == "*" || tag == text()) return true;
  }
  return false;
}

std::string http_date(std::int64_t unix_seconds) {
  const std::time_t time = unix_seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                     kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + kFirstYear,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::optional<std::int64_t> read_http_date(std::string_view text) {
  if (!has_date_form(text)) return std::nullopt;
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  if (month == kMonths.end()) return std::nullopt;
  std::tm parts{};
  parts.tm_mday = number_at(text, 5, 2);
  parts.tm_mon = static_cast<int>(month - kMonths.begin());
  parts.tm_year = number_at(text, 12, 4) - kFirstYear;
  parts.tm_hour = number_at(text, 17, 2);
  parts.tm_min = number_at(text, 20, 2);
  parts.tm_sec = number_at(text, 23, 2);
  return timegm(&parts);
}

}  // namespace flagstone::sidecar
