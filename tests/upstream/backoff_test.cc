#include "upstream/backoff.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace flagstone::upstream {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

// The longest wait that this failure can lead to: the bound itself, looked for among many draws.
milliseconds longest(const Backoff& backoff, Regime regime, TimePoint now) {
  SystemRandom random(7);
  milliseconds most{0};
  for (int i = 0; i < 20'000; ++i) {
    Backoff copy = backoff;
    most = std::max(most, copy.failed(regime, now, random.next()));
  }
  return most;
}

void expect_bound(const Backoff& backoff, Regime regime, TimePoint now, milliseconds bound) {
  const milliseconds most = longest(backoff, regime, now);
  EXPECT_LE(most, bound);
  EXPECT_GE(most, bound - bound / 100);
}

TEST(Backoff, FullJitterUnderABoundThatDoublesToTheCap) {
  Backoff backoff({.cap = seconds(30)});
  const TimePoint now{};
  for (const int bound : {1, 2, 4, 8, 16, 30, 30, 30}) {
    expect_bound(backoff, Regime::kOrdinary, now, seconds(bound));
    Backoff copy = backoff;
    EXPECT_EQ(copy.failed(Regime::kOrdinary, now, 0), milliseconds(0));
    backoff.failed(Regime::kOrdinary, now, 1);
  }
}

TEST(Backoff, BeginsAgainOnlyAfterAMinuteWithoutFailure) {
  struct Case {
    milliseconds good_for;
    milliseconds bound;
  };
  for (const Case& c : {Case{seconds(59), seconds(8)}, Case{seconds(60), seconds(1)}}) {
    Backoff backoff({});
    TimePoint now{};
    for (int i = 0; i < 3; ++i) backoff.failed(Regime::kOrdinary, now, 1);
    backoff.succeeded(now);
    backoff.succeeded(now + seconds(30));  // A later success does not begin the minute anew.
    expect_bound(backoff, Regime::kOrdinary, now + c.good_for, c.bound);
  }
}

TEST(Backoff, NeverAsksEarlierThanToldAndAtMostATenthLater) {
  struct Case {
    milliseconds asked;
    milliseconds at_least;
    milliseconds at_most;
  };
  const Case cases[] = {
      {seconds(0), seconds(0), seconds(1)},
      {seconds(20), seconds(20), seconds(22)},
      {hours(24), hours(1), minutes(66)},  // No server makes us wait longer than an hour.
  };
  SystemRandom random(3);
  for (const Case& c : cases) {
    for (int i = 0; i < 1000; ++i) {
      Backoff backoff({});
      const milliseconds wait =
          backoff.failed(Regime::kOrdinary, TimePoint{}, random.next(), c.asked);
      EXPECT_GE(wait, c.at_least);
      EXPECT_LE(wait, c.at_most);
    }
  }
}

TEST(Backoff, ARefusedCredentialIsTriedRarelyAfterItsFirstMinute) {
  Backoff backoff({});
  TimePoint now{};
  EXPECT_LE(backoff.failed(Regime::kDenied, now, kMost), seconds(1));
  EXPECT_LE(backoff.failed(Regime::kDenied, now + seconds(59), kMost), seconds(2));
  now += seconds(60);
  for (const int bound : {5, 10, 20, 40, 60, 60}) {
    const milliseconds wait = backoff.failed(Regime::kDenied, now, 12345);
    EXPECT_GE(wait, minutes(bound));
    EXPECT_LE(wait, milliseconds(minutes(bound)) * 11 / 10);
    now += wait;
  }
  backoff.forgive();
  EXPECT_LE(backoff.failed(Regime::kDenied, now, kMost), seconds(30));
}

TEST(Backoff, AVendorWhoCountsRefusedCallsIsSparedAtOnce) {
  Backoff backoff({.denied_ordinary = milliseconds(0)});
  EXPECT_GE(backoff.failed(Regime::kDenied, TimePoint{}, 0), minutes(5));
}

TEST(Backoff, IntervalsVaryByATenth) {
  SystemRandom random(5);
  milliseconds least = hours(1), most{0};
  for (int i = 0; i < 20'000; ++i) {
    const milliseconds drawn = jittered_interval(seconds(30), random.next());
    least = std::min(least, drawn);
    most = std::max(most, drawn);
  }
  EXPECT_GE(least, seconds(27));
  EXPECT_LE(least, milliseconds(27'100));
  EXPECT_LE(most, seconds(33));
  EXPECT_GE(most, milliseconds(32'900));
}

TEST(RetryAfter, SecondsAndDates) {
  // Sun, 06 Nov 1994 08:49:37 GMT
  constexpr std::int64_t kNow = 784'111'777'000;
  struct Case {
    std::string value;
    std::optional<milliseconds> wait;
  };
  const Case cases[] = {
      {"0", seconds(0)},
      {"120", seconds(120)},
      {"  7 ", seconds(7)},
      {"Sun, 06 Nov 1994 08:49:47 GMT", seconds(10)},
      {"Sun, 06 Nov 1994 08:49:37 GMT", seconds(0)},
      {"Sat, 05 Nov 1994 08:49:37 GMT", seconds(0)},
      {"Mon, 07 Nov 1994 08:49:37 GMT", hours(24)},
      {"99999999999999999999999", hours(24 * 365)},
      {"Sun, 06 Nov 9994 08:49:37 GMT", hours(24 * 365)},
      {"", std::nullopt},
      {"soon", std::nullopt},
      {"-5", std::nullopt},
      {"1.5", std::nullopt},
      {"Sun, 31 Feb 1994 08:49:37 GMT", std::nullopt},
      {"Sun, 06 Nov 1994 25:49:37 GMT", std::nullopt},
      {"Sun, 06 Nov 1994 08:49:37 CET", std::nullopt},
      {"Sunday, 06-Nov-94 08:49:37 GMT", std::nullopt},
  };
  for (const Case& c : cases) EXPECT_EQ(parse_retry_after(c.value, kNow), c.wait) << c.value;
}

// 200 pods that poll the same upstream, all started at the same moment; ten minutes later the
// upstream is away for `outage` and back at zero. Their requests in the minute after that, by
// second.
std::array<int, 60> requests_after_outage(milliseconds outage) {
  const TimePoint back = TimePoint{} + minutes(10) + outage;
  std::array<int, 60> buckets{};
  SystemRandom random(2026);
  for (int pod = 0; pod < 200; ++pod) {
    Backoff backoff({});
    for (TimePoint now{}; now < back + seconds(60);) {
      if (now >= back) ++buckets[static_cast<std::size_t>((now - back) / seconds(1))];
      if (now >= back - outage && now < back) {
        now += backoff.failed(Regime::kOrdinary, now, random.next());
      } else {
        backoff.succeeded(now);
        now += jittered_interval(seconds(30), random.next());
      }
    }
  }
  return buckets;
}

TEST(Backoff, NoHerdWhenAnUpstreamComesBack) {
  struct Case {
    milliseconds outage;
    int percent;  // Of all requests of that minute, in its fullest second.
  };
  // Who noticed a short outage tries again within seconds; that is the price of a base of 1 s, and
  // bounded because only those notice whose poll falls into it.
  for (const Case& c : {Case{seconds(5), 10}, Case{seconds(60), 5}, Case{minutes(10), 5}}) {
    const std::array<int, 60> buckets = requests_after_outage(c.outage);
    int sum = 0;
    for (const int bucket : buckets) sum += bucket;
    EXPECT_GE(sum, 300);
    EXPECT_LE(*std::max_element(buckets.begin(), buckets.end()) * 100, sum * c.percent)
        << c.outage.count();
  }
}

}  // namespace
}  // namespace flagstone::upstream
