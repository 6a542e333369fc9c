#include "upstream/backoff.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

namespace flagstone::upstream {
namespace {

constexpr milliseconds kYear{365LL * 24 * 3600 * 1000};
// Both what a server asked for and the rare waits are spread by a tenth, upwards only: asking
// earlier than told is what they are there to prevent.
milliseconds spread_upwards(milliseconds wait, std::uint64_t random) {
  return between(wait, wait + wait / 10, random);
}

milliseconds doubled(milliseconds base, int times, milliseconds cap) {
  milliseconds bound = base;
  for (int i = 0; i < times && bound < cap; ++i) bound *= 2;
  return std::min(bound, cap);
}

// Reads exactly `width` digits at `at`.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t width) {
  if (at + width > text.size()) return std::nullopt;
  int number = 0;
  const char* end = text.data() + at + width;
  auto [stop, error] = std::from_chars(text.data() + at, end, number);
  if (error != std::errc{} || stop != end || number < 0) return std::nullopt;
  return number;
}

// `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that servers may send today (RFC 9110, 5.6.7).
std::optional<std::int64_t> parse_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT") return {};
  const auto day = digits(text, 5, 2);
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const auto year = digits(text, 12, 4);
  const auto hour = digits(text, 17, 2);
  const auto minute = digits(text, 20, 2);
  const auto second = digits(text, 23, 2);
  if (!day || month == kMonths.end() || !year || !hour || !minute || !second) return {};
  if (*hour > 23 || *minute > 59 || *second > 60) return {};
  const std::chrono::year_month_day date{
      std::chrono::year(*year),
      std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return {};
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + *hour) * 60 + *minute) * 60'000 + *second * 1000;
}

}  // namespace

milliseconds Backoff::failed(Regime regime, TimePoint now, std::uint64_t random,
                             std::optional<milliseconds> retry_after) {
  if (good_since_ && now - *good_since_ >= options_.good) failures_ = 0;
  good_since_.reset();
  milliseconds wait{0};
  if (regime == Regime::kDenied) {
    if (!denied_since_) denied_since_ = now;
    wait = now - *denied_since_ >= options_.denied_ordinary ? denied_wait(random)
                                                            : ordinary_wait(random);
  } else {
    wait = ordinary_wait(random);
  }
  if (retry_after) {
    const milliseconds asked = std::min(*retry_after, options_.retry_after_max);
    wait = std::max(wait, spread_upwards(asked, random));
  }
  return wait;
}

void Backoff::succeeded(TimePoint now) {
  if (!good_since_) good_since_ = now;
  forgive();
}

void Backoff::forgive() {
  denied_since_.reset();
  denied_failures_ = 0;
}

void Backoff::set_base(milliseconds base) {
  options_.base = std::clamp(base, milliseconds(1), options_.cap);
}

milliseconds Backoff::ordinary_wait(std::uint64_t random) {
  const milliseconds bound = doubled(options_.base, failures_, options_.cap);
  if (bound < options_.cap) ++failures_;
  return between(milliseconds(0), bound, random);
}

milliseconds Backoff::denied_wait(std::uint64_t random) {
  const milliseconds bound = doubled(options_.denied_base, denied_failures_, options_.denied_cap);
  if (bound < options_.denied_cap) ++denied_failures_;
  return spread_upwards(bound, random);
}

milliseconds jittered_interval(milliseconds interval, std::uint64_t random) {
  return between(interval - interval / 10, interval + interval / 10, random);
}

std::optional<milliseconds> parse_retry_after(std::string_view value, std::int64_t now_unix_ms) {
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
  if (value.empty()) return std::nullopt;
  if (value.find_first_not_of("0123456789") == std::string_view::npos) {
    std::int64_t seconds = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (parsed.ec != std::errc{} || seconds > kYear.count() / 1000) return kYear;
    return milliseconds(seconds * 1000);
  }
  const auto date_ms = parse_http_date(value);
  if (!date_ms) return std::nullopt;
  return std::clamp(milliseconds(*date_ms - now_unix_ms), milliseconds(0), kYear);
}

}  // namespace flagstone::upstream
