// How reports travel: rings that are full, forwarders that take nothing, threads that drain at any
// time.
#include "sidecar/launchdarkly_reporter.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/sidecar/reported_flags.h"

namespace flagstone::sidecar {
namespace {

namespace launchdarkly = evaluation::launchdarkly;
using evaluation::EvaluationContext;
using evaluation::Member;
using evaluation::Value;

// A result as the dialect would give it.
struct Answer {
  explicit Answer(std::string key, bool tracked = false) : name(std::move(key)) {
    facts.key = name;
    facts.version = 3;
    facts.track_events = tracked;
    detail.flag = &facts;
    detail.reason = launchdarkly::ReasonKind::kFallthrough;
    detail.variation_index = 0;
    detail.value_json = "true";
    result.reason = evaluation::Reason::kFallthrough;
    result.detail = &detail;
  }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  std::string name;
  launchdarkly::FlagFacts facts;
  launchdarkly::Detail detail;
  evaluation::Evaluation result;
};

struct Person {
  explicit Person(std::string key, std::string more = "x")
      : texts{std::move(key), std::move(more)},
        members{Member{"targetingKey", Value::string(texts[0])},
                Member{"more", Value::string(texts[1])}},
        context(Value::object(members)) {}

  std::array<std::string, 2> texts;
  std::array<Member, 2> members;
  EvaluationContext context;
};

constexpr evaluation::Moment kNow{.unix_ms = 1'700'000'000'000, .random = 1};

std::uint64_t lost(const LaunchDarklyReportCollector& reports, ReportLoss why) {
  return reports.facts().lost[static_cast<std::size_t>(why)];
}

// The sum of the counts of each flag, over all summaries in those arrays.
std::map<std::string, std::uint64_t> counts_in(const std::vector<std::string>& arrays) {
  constexpr std::string_view kFeature = R"(":{"default":null,"counters":[)";
  constexpr std::string_view kCount = R"("count":)";
  std::map<std::string, std::uint64_t> sums;
  for (const std::string& array : arrays) {
    for (std::size_t at = 0; (at = array.find(kFeature, at)) != std::string::npos;) {
      const std::size_t name = array.rfind('"', at - 1) + 1;
      std::uint64_t& sum = sums[array.substr(name, at - name)];
      at += kFeature.size();
      const std::size_t end = array.find(']', at);
      while ((at = array.find(kCount, at)) < end)
        sum += std::stoull(array.substr(at += kCount.size(), 20));
      at = end;
    }
  }
  return sums;
}

std::uint64_t features_in(const std::vector<std::string>& arrays) {
  std::uint64_t count = 0;
  for (const std::string& array : arrays) {
    for (std::size_t at = 0; (at = array.find(R"("kind":"feature")", at)) != std::string::npos;
         ++at) {
      ++count;
    }
  }
  return count;
}

TEST(LaunchDarklyReporter, AFullRingDropsEventsAndCountsGoOn) {
  LaunchDarklyReportCollector reports;
  int wakes = 0;
  reports.add_reporter([&] { ++wakes; });
  LaunchDarklyReporter& reporter = reports.reporter(0);
  const Answer answer("flag", /*tracked=*/true);
  const Person person("u");
  constexpr std::uint64_t kMany = 5000;
  for (std::uint64_t i = 0; i < kMany; ++i)
    reporter.report(person.context, answer.result, false, kNow);
  EXPECT_EQ(wakes, 1);  // at half full, and not again while nobody drained
  reporter.hand_over();
  RecordingForwarder forwarder;
  ASSERT_TRUE(reports.flush(forwarder));
  ASSERT_EQ(forwarder.arrays.size(), 2u);  // Events in full, and the summary.
  const std::uint64_t told = features_in(forwarder.arrays);
  EXPECT_GT(told, 500u);
  EXPECT_EQ(lost(reports, ReportLoss::kNoRoom), kMany - told);
  EXPECT_EQ(counts_in(forwarder.arrays), (std::map<std::string, std::uint64_t>{{"flag", kMany}}));
  // Drained, it has room, and wakes again when it is half full.
  for (std::uint64_t i = 0; i < kMany; ++i)
    reporter.report(person.context, answer.result, false, kNow);
  EXPECT_EQ(wakes, 2);
}

TEST(LaunchDarklyReporter, AnEventThatNeverHasRoomIsLostAlone) {
  LaunchDarklyReportCollector reports;
  reports.add_reporter([] {});
  const Answer answer("flag", /*tracked=*/true);
  const Person large("large", std::string(LaunchDarklyReporter::kRingBytes, 'x'));
  const Person small("small");
  reports.reporter(0).report(large.context, answer.result, false, kNow);
  reports.reporter(0).report(small.context, answer.result, false, kNow);
  reports.reporter(0).hand_over();
  RecordingForwarder forwarder;
  ASSERT_TRUE(reports.flush(forwarder));
  EXPECT_EQ(lost(reports, ReportLoss::kTooLarge), 2u);  // index and feature
  EXPECT_EQ(lost(reports, ReportLoss::kNoRoom), 0u);
  EXPECT_FALSE(forwarder.arrays[0].contains("large"));
  EXPECT_EQ(counts_in(forwarder.arrays), (std::map<std::string, std::uint64_t>{{"flag", 2}}));
  // What it left behind is given back.
  reports.reporter(0).hand_over();
  EXPECT_LT(reports.facts().bytes, 2 * LaunchDarklyReporter::kRingBytes);
}

TEST(LaunchDarklyReporter, NothingIsLostWhileTheForwarderTakesNothingUntilThereIsNoRoom) {
  LaunchDarklyReportCollector reports;
  reports.add_reporter([] {});
  LaunchDarklyReporter& reporter = reports.reporter(0);
  RecordingForwarder forwarder;
  forwarder.is_shut = true;
  const Answer answer("flag", /*tracked=*/true);
  const Person person("u");
  std::uint64_t asked = 0;
  std::int64_t now_ms = 0;
  while (lost(reports, ReportLoss::kNoRoom) == 0) {
    for (int i = 0; i < 100; ++i, ++asked)
      reporter.report(person.context, answer.result, false, kNow);
    reporter.hand_over();
    reports.drain(forwarder, now_ms += LaunchDarklyReportCollector::kHandOnMs);
    ASSERT_LT(asked, 100'000u);
  }
  EXPECT_TRUE(forwarder.arrays.empty());
  EXPECT_LT(reports.facts().bytes, 4 * LaunchDarklyReportCollector::kWaitingBytesMax);
  forwarder.is_shut = false;
  reports.drain(forwarder, now_ms += LaunchDarklyReportCollector::kHandOnMs);
  reports.drain(forwarder, now_ms += LaunchDarklyReportCollector::kHandOnMs);
  EXPECT_EQ(counts_in(forwarder.arrays), (std::map<std::string, std::uint64_t>{{"flag", asked}}));
  const std::uint64_t told = features_in(forwarder.arrays);
  EXPECT_EQ(told + lost(reports, ReportLoss::kNoRoom), asked);
}

TEST(LaunchDarklyReporter, HandsOnCountsAtOnceAndEventsOnceASecondOrWhenThereIsMuch) {
  LaunchDarklyReportCollector reports;
  reports.add_reporter([] {});
  LaunchDarklyReporter& reporter = reports.reporter(0);
  RecordingForwarder forwarder;
  const Answer quiet("flag");
  const Answer tracked("tracked", /*tracked=*/true);
  const Person person("u", std::string(60'000, 'x'));
  reports.drain(forwarder, 10'000);
  reporter.report(person.context, quiet.result, false, kNow);
  reports.drain(forwarder, 10'500);
  EXPECT_TRUE(forwarder.arrays.empty());
  reporter.hand_over();
  reports.drain(forwarder, 10'900);
  EXPECT_EQ(forwarder.arrays.size(), 2u);
  forwarder.arrays.clear();
  for (int i = 0; i < 6; ++i) {
    reporter.report(person.context, tracked.result, false, kNow);
    reports.drain(forwarder, 11'100);
  }
  EXPECT_EQ(forwarder.arrays.size(), 1u);
}

TEST(LaunchDarklyReporter, InventedFlagsAreBoundedPerMinute) {
  LaunchDarklyReportCollector reports;
  reports.add_reporter([] {});
  LaunchDarklyReporter& reporter = reports.reporter(0);
  RecordingForwarder forwarder;
  const Person person("u");
  std::uint64_t asked = 0;
  // Seven seconds of it, a name only once.
  for (int second = 0; second < 7; ++second) {
    for (int i = 0; i < 2000; ++i) {
      reporter.report_unknown("invented-" + std::to_string(asked++), person.context, kNow);
    }
    reporter.hand_over();
    reports.drain(forwarder, 1000 * (second + 1));
  }
  ASSERT_TRUE(reports.flush(forwarder));
  EXPECT_EQ(counts_in(forwarder.arrays).size(), LaunchDarklyReportCollector::kUnknownNamesMax);
  EXPECT_EQ(lost(reports, ReportLoss::kUnknownFlags),
            asked - LaunchDarklyReportCollector::kUnknownNamesMax);
  // A minute later there is room again.
  forwarder.arrays.clear();
  reporter.report_unknown("new", person.context, kNow);
  reporter.hand_over();
  reports.drain(forwarder, LaunchDarklyReportCollector::kUnknownWindowMs);
  EXPECT_EQ(counts_in(forwarder.arrays), (std::map<std::string, std::uint64_t>{{"new", 1}}));
}

TEST(LaunchDarklyReporter, ManyLargeValuesGoInSeveralBodies) {
  LaunchDarklyReportCollector reports;
  reports.add_reporter([] {});
  const std::string value = '"' + std::string(100'000, 'v') + '"';
  const Person person("u");
  for (int i = 0; i < 50; ++i) {
    Answer answer("flag-" + std::to_string(i));
    answer.detail.value_json = value;
    reports.reporter(0).report(person.context, answer.result, false, kNow);
  }
  reports.reporter(0).hand_over();
  RecordingForwarder forwarder;
  ASSERT_TRUE(reports.flush(forwarder));
  EXPECT_GE(forwarder.arrays.size(), 3u);
  std::size_t found = 0;
  for (const std::string& array : forwarder.arrays) {
    EXPECT_LT(array.size(), 3 * LaunchDarklyReportCollector::kArrayBytes);
    EXPECT_TRUE(array.starts_with("[{") && array.ends_with("}]"));
    for (std::size_t at = 0; (at = array.find(R"("count":1})", at)) != std::string::npos; ++at)
      ++found;
  }
  EXPECT_EQ(found, 50u);
}

// Threads evaluate and hand over as they like, the keeper drains as it likes: not one is lost, not
// one is counted twice.
TEST(LaunchDarklyReporter, CountsAreTheEvaluationsOverManyThreads) {
  constexpr int kThreads = 3;
  constexpr int kEvaluations = 9'000;
  LaunchDarklyReportCollector reports;
  for (int i = 0; i < kThreads; ++i) reports.add_reporter([] {});
  std::atomic<int> running = kThreads;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&reports, &running, t] {
      LaunchDarklyReporter& reporter = reports.reporter(static_cast<std::size_t>(t));
      const Answer common("common");
      const Answer own("own-" + std::to_string(t), /*tracked=*/true);
      const Person person("u" + std::to_string(t));
      for (int i = 0; i < kEvaluations; ++i) {
        reporter.report(person.context, (i % 3 == 0 ? own : common).result, false, kNow);
        if (i % (500 + t) == 0) reporter.hand_over();
      }
      reporter.hand_over();
      --running;
    });
  }
  RecordingForwarder forwarder;
  std::int64_t now_ms = 0;
  while (running > 0) {
    reports.drain(forwarder, now_ms += 100);
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  // The last hand over may have found all places taken.
  ASSERT_TRUE(reports.flush(forwarder));
  for (int t = 0; t < kThreads; ++t) reports.reporter(static_cast<std::size_t>(t)).hand_over();
  ASSERT_TRUE(reports.flush(forwarder));
  std::map<std::string, std::uint64_t> expected = {{"common", kThreads * kEvaluations / 3 * 2}};
  for (int t = 0; t < kThreads; ++t) expected["own-" + std::to_string(t)] = kEvaluations / 3;
  EXPECT_EQ(counts_in(forwarder.arrays), expected);
  const std::uint64_t told = features_in(forwarder.arrays);
  EXPECT_EQ(told + lost(reports, ReportLoss::kNoRoom), std::uint64_t{kThreads} * kEvaluations / 3);
}

}  // namespace
}  // namespace flagstone::sidecar
