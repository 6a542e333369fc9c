// When FDv2 is left, by what is said, and for how long.
#include "upstream/launchdarkly_fallback.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/upstream/source_fixture.h"

namespace flagstone::upstream {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class LaunchDarklyFallbackTest : public testing::Test {
 protected:
  void make() {
    fallback.emplace(loop.loop(), options,
                     LaunchDarklyFallback::Reminders{.on_return =
                                                         [this] {
                                                           ++returns;
                                                           loop.nudge();
                                                         },
                                                     .on_overdue =
                                                         [this] {
                                                           ++overdue;
                                                           loop.nudge();
                                                         }});
  }
  static HttpHead head(int status, std::string says = {}, std::string ttl = {}) {
    HttpHead head;
    head.status = status;
    if (!says.empty()) head.headers.push_back({"x-ld-fd-fallback", std::move(says)});
    if (!ttl.empty()) head.headers.push_back({"x-ld-fd-fallback-ttl", std::move(ttl)});
    return head;
  }

  fakes::TestLoop loop;
  LaunchDarklyFallbackOptions options;
  std::optional<LaunchDarklyFallback> fallback;
  int returns = 0;
  int overdue = 0;
};

TEST_F(LaunchDarklyFallbackTest, WhatAHeadSays) {
  struct Row {
    HttpHead head;
    bool leaves;
    bool polls_only;
    bool after_data;
  };
  const std::vector<Row> rows = {
      {head(200), false, false, false},
      {head(304), false, false, false},
      {head(404), true, false, false},
      {head(405), true, false, false},
      {head(403), false, false, false},
      {head(500), false, false, false},
      {head(200, "true"), true, true, true},
      {head(200, "True"), true, true, true},
      {head(304, "true"), true, true, false},
      {head(404, "true"), true, true, false},
      {head(500, "true"), true, true, false},
      {head(200, "false"), false, false, false},
      {head(200, "", "60"), false, false, false},
  };
  make();
  for (const Row& row : rows) {
    const auto departure = fallback->departure(row.head);
    ASSERT_EQ(departure.has_value(), row.leaves) << row.head.status;
    if (!departure) continue;
    EXPECT_EQ(departure->polls_only, row.polls_only) << row.head.status;
    EXPECT_EQ(departure->after_data, row.after_data) << row.head.status;
    EXPECT_EQ(departure->time, hours(1));
  }
  options.may_be_unknown = false;
  make();
  EXPECT_FALSE(fallback->departure(head(404)).has_value());
  EXPECT_TRUE(fallback->departure(head(404, "true")).has_value());
}

TEST_F(LaunchDarklyFallbackTest, TheTimeIsWhatIsSaidIfItMakesSense) {
  const milliseconds forever(0);
  const std::vector<std::pair<std::string, milliseconds>> rows = {
      {"", hours(1)},
      {"0", forever},
      {"1", seconds(30)},
      {"29", seconds(30)},
      {"31", seconds(31)},
      {"7200", hours(2)},
      {"0.5", hours(1)},
      {"00", seconds(30)},
      {"60s", hours(1)},
      {"x", hours(1)},
      {"-1", hours(1)},
      {"+60", hours(1)},
      {"6 0", hours(1)},
      {"0x10", hours(1)},
      {"1e3", hours(1)},
      {"99999999999", hours(8784)},
      {"99999999999999999999", hours(8784)},
  };
  make();
  for (const auto& [ttl, time] : rows) {
    EXPECT_EQ(fallback->departure(head(503, "true", ttl))->time, time) << ttl;
  }
  EXPECT_EQ(fallback->departure(std::int64_t{0}).time, forever);
  EXPECT_EQ(fallback->departure(std::int64_t{1}).time, seconds(30));
  EXPECT_EQ(fallback->departure(std::int64_t{60}).time, seconds(60));
  EXPECT_EQ(fallback->departure(INT64_MAX).time, hours(8784));
  EXPECT_TRUE(fallback->departure(std::int64_t{60}).polls_only);
}

TEST_F(LaunchDarklyFallbackTest, ItIsAwayForThatTime) {
  make();
  EXPECT_FALSE(fallback->is_away());
  fallback->leave({.time = milliseconds(20), .polls_only = true});
  EXPECT_TRUE(fallback->is_away());
  EXPECT_TRUE(fallback->leaves_stream());
  ASSERT_TRUE(loop.run_until([&] { return returns == 1; }));
  EXPECT_FALSE(fallback->is_away());
  EXPECT_FALSE(fallback->leaves_stream());
  fallback->leave({.time = milliseconds(20), .polls_only = false});
  EXPECT_FALSE(fallback->leaves_stream());
  fallback->leave({.time = milliseconds(0), .polls_only = true});  // For ever.
  loop.run_for(60);
  EXPECT_EQ(returns, 1);
  EXPECT_TRUE(fallback->is_away());
}

TEST_F(LaunchDarklyFallbackTest, AnotherKeyBeginsAnew) {
  options.parting = milliseconds(20);
  make();
  fallback->leave({.time = milliseconds(20), .polls_only = true});
  fallback->leave_after_data(LaunchDarklyWay::kPoll, {.time = milliseconds(5)});
  fallback->reset();
  EXPECT_FALSE(fallback->is_away());
  EXPECT_FALSE(fallback->leaves_stream());
  EXPECT_FALSE(fallback->due(LaunchDarklyWay::kPoll).has_value());
  loop.run_for(60);
  EXPECT_EQ(returns, 0);
  EXPECT_EQ(overdue, 0);
}

TEST_F(LaunchDarklyFallbackTest, TheWordIsDueWithTheDataOfWhoSaidIt) {
  make();
  EXPECT_FALSE(fallback->due(LaunchDarklyWay::kStream).has_value());
  fallback->leave_after_data(LaunchDarklyWay::kStream, {.time = hours(2), .polls_only = true});
  EXPECT_FALSE(fallback->is_away());
  EXPECT_FALSE(fallback->due(LaunchDarklyWay::kPoll).has_value());
  ASSERT_TRUE(fallback->due(LaunchDarklyWay::kStream).has_value());
  EXPECT_EQ(fallback->due(LaunchDarklyWay::kStream)->time, hours(2));
  fallback->forget_word_of(LaunchDarklyWay::kPoll);
  EXPECT_TRUE(fallback->due(LaunchDarklyWay::kStream).has_value());
  fallback->forget_word_of(LaunchDarklyWay::kStream);
  EXPECT_FALSE(fallback->due(LaunchDarklyWay::kStream).has_value());
}

TEST_F(LaunchDarklyFallbackTest, OrOnceItIsOverdue) {
  options.parting = milliseconds(20);
  make();
  fallback->leave_after_data(LaunchDarklyWay::kStream, {.time = hours(2), .polls_only = true});
  ASSERT_TRUE(loop.run_until([&] { return overdue == 1; }));
  EXPECT_TRUE(fallback->due(LaunchDarklyWay::kPoll).has_value());
  EXPECT_TRUE(fallback->due(LaunchDarklyWay::kNone).has_value());
  fallback->leave(*fallback->due(LaunchDarklyWay::kNone));
  EXPECT_FALSE(fallback->due(LaunchDarklyWay::kStream).has_value()) << "it is done";
  EXPECT_TRUE(fallback->is_away());
}

}  // namespace
}  // namespace flagstone::upstream
