#include "upstream/launchdarkly_fallback.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace flagstone::upstream {
namespace {

constexpr std::int64_t kMostSeconds = 366LL * 24 * 3600;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

LaunchDarklyFallback::LaunchDarklyFallback(net::Loop& loop,
                                           const LaunchDarklyFallbackOptions& options,
                                           Reminders reminders)
    : options_(options),
      reminders_(std::move(reminders)),
      return_timer_(loop,
                    [this] {
                      away_ = false;
                      leaves_stream_ = false;
                      reminders_.on_return();
                    }),
      overdue_timer_(loop, [this] {
        overdue_ = true;
        reminders_.on_overdue();
      }) {}

// A server that has us come back every second is not one to be obeyed.
milliseconds LaunchDarklyFallback::time_of(std::int64_t seconds) const {
  if (seconds == 0) return milliseconds(0);
  return std::max(milliseconds(std::min(seconds, kMostSeconds) * 1000), options_.least);
}

milliseconds LaunchDarklyFallback::time_in(std::string_view text) const {
  if (text.empty() || !std::ranges::all_of(text, is_digit)) return options_.usual;
  if (text == "0") return milliseconds(0);
  std::int64_t seconds = kMostSeconds;  // It stays that where there are more digits than fit.
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return time_of(std::max<std::int64_t>(seconds, 1));
}

std::optional<LaunchDarklyFallback::Departure> LaunchDarklyFallback::departure(
    const HttpHead& head) const {
  if (lower_case(head.find("x-ld-fd-fallback")) == "true") {
    return Departure{.time = time_in(head.find("x-ld-fd-fallback-ttl")),
                     .polls_only = true,
                     .after_data = head.status == 200};
  }
  const bool unknown = head.status == 404 || head.status == 405;
  if (!unknown || !options_.may_be_unknown) return std::nullopt;
  return Departure{.time = options_.usual};
}

LaunchDarklyFallback::Departure LaunchDarklyFallback::departure(std::int64_t ttl_s) const {
  return {.time = time_of(ttl_s), .polls_only = true};
}

void LaunchDarklyFallback::leave(const Departure& departure) {
  forget_word();
  away_ = true;
  leaves_stream_ = leaves_stream_ || departure.polls_only;
  if (departure.time.count() == 0) {
    return_timer_.stop();
  } else {
    return_timer_.start_once(departure.time.count());
  }
}

void LaunchDarklyFallback::leave_after_data(LaunchDarklyWay way, const Departure& departure) {
  word_ = departure;
  word_of_ = way;
  overdue_ = false;
  overdue_timer_.start_once(options_.parting.count());
}

std::optional<LaunchDarklyFallback::Departure> LaunchDarklyFallback::due(
    LaunchDarklyWay way) const {
  return word_of_ == way || overdue_ ? word_ : std::nullopt;
}

void LaunchDarklyFallback::forget_word_of(LaunchDarklyWay way) {
  if (word_of_ == way) forget_word();
}

void LaunchDarklyFallback::forget_word() {
  word_.reset();
  word_of_ = LaunchDarklyWay::kNone;
  overdue_ = false;
  overdue_timer_.stop();
}

void LaunchDarklyFallback::reset() {
  forget_word();
  return_timer_.stop();
  away_ = false;
  leaves_stream_ = false;
}

}  // namespace flagstone::upstream
