#include "evaluation/dialects/launchdarkly/wire/recent_contexts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>

namespace flagstone::evaluation::launchdarkly {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'000;
constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15;

TEST(RecentContexts, EachIsNewOnce) {
  RecentContexts recent;
  EXPECT_TRUE(recent.add(1, kNow));
  EXPECT_TRUE(recent.add(2, kNow));
  EXPECT_FALSE(recent.add(1, kNow));
  EXPECT_FALSE(recent.add(2, kNow));
}

TEST(RecentContexts, TheOneUsedLongestAgoGoes) {
  RecentContexts recent;
  for (std::uint64_t i = 0; i < RecentContexts::kContextsMax; ++i) {
    EXPECT_TRUE(recent.add(i * kSpread, kNow));
  }
  EXPECT_FALSE(recent.add(0, kNow));     // used again
  EXPECT_TRUE(recent.add(~0ULL, kNow));  // takes the place of 1
  EXPECT_FALSE(recent.add(0, kNow));
  EXPECT_TRUE(recent.add(kSpread, kNow));
}

TEST(RecentContexts, AllAreForgottenAfterFiveMinutes) {
  RecentContexts recent;
  EXPECT_TRUE(recent.add(1, kNow));
  EXPECT_FALSE(recent.add(1, kNow + RecentContexts::kWindowMs - 1));
  EXPECT_TRUE(recent.add(1, kNow + RecentContexts::kWindowMs));
  EXPECT_FALSE(recent.add(1, kNow + RecentContexts::kWindowMs + 1));
}

TEST(RecentContexts, AClockThatIsSetBackBeginsAnew) {
  RecentContexts recent;
  EXPECT_TRUE(recent.add(1, kNow));
  EXPECT_TRUE(recent.add(1, kNow - 1));
  EXPECT_FALSE(recent.add(1, kNow));
}

// Against the plainest list there is, with hashes that share buckets.
TEST(RecentContexts, RemembersWhatAListWould) {
  auto recent = std::make_unique<RecentContexts>();
  std::deque<std::uint64_t> list;
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t hash = (random() % 1500) * (i % 2 == 0 ? kSpread : 1);
    const auto at = std::find(list.begin(), list.end(), hash);
    const bool is_new = at == list.end();
    if (!is_new) list.erase(at);
    list.push_front(hash);
    if (list.size() > RecentContexts::kContextsMax) list.pop_back();
    ASSERT_EQ(recent->add(hash, kNow), is_new) << i;
  }
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly
