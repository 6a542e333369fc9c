#include "cache/usage.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/cache/allocation_counter.h"
#include "tests/cache/environment_fixture.h"

namespace flagstone::cache {
namespace {

using fakes::flag;
using fakes::full;

TEST(UsageTest, CountsByFlag) {
  UsageCounters counters;
  UsageTotals totals;
  counters.count(3);  // nobody made room: not counted
  counters.grow(600);
  counters.count(3);
  counters.count(3);
  counters.count(599);
  counters.count(kNoFlagId);
  totals.drain(counters, 100);
  EXPECT_EQ(totals.of(3).count, 2U);
  EXPECT_EQ(totals.of(3).first_asked_unix_ms, 100);
  EXPECT_EQ(totals.of(599).count, 1U);
  EXPECT_EQ(totals.of(4).count, 0U);
  counters.count(3);
  totals.drain(counters, 200);
  totals.drain(counters, 300);
  EXPECT_EQ(totals.of(3).count, 3U);
  EXPECT_EQ(totals.of(3).first_asked_unix_ms, 100);
  EXPECT_EQ(totals.of(3).last_asked_unix_ms, 200);
}

TEST(UsageTest, CountingAllocatesNothing) {
  UsageCounters counters;
  counters.grow(100);
  const AllocationCounter allocations;
  for (int i = 0; i < 5000; ++i) {
    counters.count(7);
    counters.count_unknown("missing");
  }
  EXPECT_EQ(allocations.count(), 0U);
}

TEST(UsageTest, UnknownKeysAreBounded) {
  UsageCounters counters;
  UsageTotals totals;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 100; ++i) {
      counters.count_unknown("key-" + std::to_string(round * 100 + i));
    }
    totals.drain(counters, 1);
  }
  EXPECT_EQ(totals.unknown().size(), UsageTotals::kUnknownKeysMax);
  EXPECT_EQ(totals.unknown_dropped(), 1000U);
  EXPECT_EQ(totals.unknown().find("key-0")->second.count, 1U);
  // A ring that nobody drains drops; what comes out is whole.
  for (int i = 0; i < 100'000; ++i) counters.count_unknown(std::string(300, 'a'));
  std::size_t keys = 0;
  counters.drain([](std::uint32_t, std::uint32_t) {},
                 [&keys](std::string_view key) {
                   EXPECT_EQ(key, std::string(UsageCounters::kUnknownKeyBytesMax, 'a'));
                   ++keys;
                 });
  EXPECT_GT(keys, 50U);
  EXPECT_LT(keys, 65U);
}

TEST(UsageTest, LongKeysAreCutBetweenCharacters) {
  constexpr std::size_t kMost = UsageCounters::kUnknownKeyBytesMax;
  const std::string two = "\xc3\xa9";
  const std::string three = "\xe2\x82\xac";
  const std::string four = "\xf0\x9f\x9a\xa9";
  const auto after = [](std::size_t bytes, const std::string& character) {
    return std::string(bytes, 'a') + character;
  };
  struct Case {
    std::string key;
    std::size_t kept;
  };
  std::vector<Case> cases = {{after(kMost - 2, two), kMost},
                             {after(kMost - 3, three), kMost},
                             {after(kMost - 4, four), kMost},
                             {after(kMost, "a"), kMost},
                             {std::string(kMost * 2, '\x80'), kMost}};
  for (const std::string& character : {two, three, four}) {
    for (std::size_t inside = 0; inside < character.size(); ++inside) {
      cases.push_back({after(kMost - inside, character + "tail"), kMost - inside});
    }
  }
  for (const Case& c : cases) {
    UsageCounters counters;
    counters.count_unknown(c.key);
    UsageTotals totals;
    totals.drain(counters, 1);
    ASSERT_EQ(totals.unknown().size(), 1U);
    EXPECT_EQ(totals.unknown().begin()->first, c.key.substr(0, c.kept)) << c.key.substr(250);
  }
}

TEST(UsageTest, WhatTheFullRingDropsIsCounted) {
  UsageCounters counters;
  UsageTotals totals;
  constexpr std::uint64_t kAsked = 10'000;
  for (std::uint64_t i = 0; i < kAsked; ++i) counters.count_unknown("missing");
  totals.drain(counters, 1);
  const std::uint64_t counted = totals.unknown().at("missing").count;
  EXPECT_LT(counted, kAsked);
  EXPECT_EQ(totals.unknown_dropped(), kAsked - counted);
  // Once each.
  totals.drain(counters, 2);
  EXPECT_EQ(totals.unknown_dropped(), kAsked - counted);
  counters.count_unknown("missing");
  totals.drain(counters, 3);
  EXPECT_EQ(totals.unknown_dropped(), kAsked - counted);
  EXPECT_EQ(totals.unknown().at("missing").count, counted + 1);
}

TEST(UsageTest, OneThreadCountsWhileAnotherDrains) {
  UsageCounters counters;
  UsageTotals totals;
  counters.grow(10);
  constexpr std::uint64_t kTimes = 200'000;
  std::thread serving([&counters] {
    for (std::uint64_t i = 0; i < kTimes; ++i) {
      counters.count(5);
      counters.count_unknown("missing");
    }
  });
  for (int i = 0; i < 1000; ++i) {
    totals.drain(counters, 1);
    counters.grow(static_cast<std::uint32_t>(i * 10));
  }
  serving.join();
  totals.drain(counters, 2);
  EXPECT_EQ(totals.of(5).count, kTimes);
  ASSERT_EQ(totals.unknown().size(), 1U);
  EXPECT_EQ(totals.unknown().begin()->first, "missing");
  EXPECT_EQ(totals.unknown().begin()->second.count + totals.unknown_dropped(), kTimes);
}

TEST(UsageTest, SurvivesARestartByName) {
  EnvironmentFixture before;
  before.accept(1, full({flag("a", "1"), flag("b", "1", 0, "set"), flag("c", "1")}));
  UsageCounters counters;
  counters.grow(before.environment->flag_id_limit());
  UsageTotals totals;
  counters.count(before.environment->snapshot()->find_flag("set", "b")->flag_id());
  counters.count_unknown("missing");
  totals.drain(counters, 50);
  const std::string saved = totals.serialise(before.environment->snapshot().get());

  EnvironmentFixture after;
  UsageTotals restored;
  ASSERT_TRUE(restored.restore(saved));
  EXPECT_EQ(restored.serialise(nullptr), saved) << "kept until the flags come back";
  after.accept(1, full({flag("new", "1"), flag("b", "1", 0, "set")}));
  restored.adopt(*after.environment->snapshot());
  const std::uint32_t id = after.environment->snapshot()->find_flag("set", "b")->flag_id();
  EXPECT_EQ(restored.of(id).count, 1U);
  EXPECT_EQ(restored.of(id).first_asked_unix_ms, 50);
  EXPECT_EQ(restored.unknown().at("missing").count, 1U);
}

TEST(UsageTest, WhatAppsEvaluateThemselvesIsSoAfterARestartAsWell) {
  using enum UsageTotals::Evaluated;
  UsageTotals totals(kHereOrInApps);
  const std::string before = totals.serialise(nullptr);
  totals.note_evaluated_in_apps();
  const std::string saved = totals.serialise(nullptr);
  UsageTotals restored(kHereOrInApps);
  ASSERT_TRUE(restored.restore(before));
  EXPECT_FALSE(restored.evaluated_in_apps());
  ASSERT_TRUE(restored.restore(saved));
  EXPECT_TRUE(restored.evaluated_in_apps());
  EXPECT_EQ(restored.serialise(nullptr), saved);
  ASSERT_TRUE(restored.restore(before));
  EXPECT_TRUE(restored.evaluated_in_apps()) << "it was said since";
  EXPECT_FALSE(UsageTotals(kHereOrInApps).restore(saved + saved.back()));
  EXPECT_FALSE(UsageTotals(kHereOrInApps).restore(before + '\2'));
}

// The environment was of another dialect when that was saved.
TEST(UsageTest, WhereNoAppEvaluatesItIsNotSo) {
  using enum UsageTotals::Evaluated;
  UsageTotals before(kHereOrInApps);
  before.note_evaluated_in_apps();
  UsageTotals totals(kHere);
  EXPECT_TRUE(totals.restore(before.serialise(nullptr)));
  EXPECT_FALSE(totals.evaluated_in_apps());
  totals.note_evaluated_in_apps();
  EXPECT_FALSE(totals.evaluated_in_apps());
  UsageTotals after(kHereOrInApps);
  EXPECT_TRUE(after.restore(totals.serialise(nullptr)));
  EXPECT_FALSE(after.evaluated_in_apps());
}

TEST(UsageTest, DamagedBytesAreNotTaken) {
  EnvironmentFixture f;
  f.accept(1, full({flag("a", "1")}));
  UsageCounters counters;
  counters.grow(1);
  counters.count(0);
  counters.count_unknown("x");
  UsageTotals totals;
  totals.drain(counters, 1);
  const std::string saved = totals.serialise(f.environment->snapshot().get());
  for (std::size_t size = 0; size < saved.size(); ++size) {
    EXPECT_FALSE(UsageTotals().restore(std::string_view(saved).substr(0, size))) << size;
  }
}

}  // namespace
}  // namespace flagstone::cache
