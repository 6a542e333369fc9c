#include "upstream/launchdarkly_refused_batches.h"

#include <gtest/gtest.h>

namespace flagstone::upstream::launchdarkly {
namespace {

const TimePoint kStart{};

TEST(RefusedBatches, ARefusalIsBelievedAfterAWhile) {
  RefusedBatches refused;
  const BatchName name = BatchName::of(1, 0);
  EXPECT_FALSE(refused.is_refused_for_good(name, kStart));
  EXPECT_FALSE(
      refused.is_refused_for_good(name, kStart + RefusedBatches::kPatience - milliseconds(1)));
  EXPECT_TRUE(refused.is_refused_for_good(name, kStart + RefusedBatches::kPatience));
  EXPECT_FALSE(
      refused.is_refused_for_good(BatchName::of(1, 1), kStart + RefusedBatches::kPatience));
}

TEST(RefusedBatches, HalvesAreRefusedSinceTheirWholeWas) {
  RefusedBatches refused;
  const BatchName whole = BatchName::of(1, 0);
  const TimePoint later = kStart + RefusedBatches::kPatience;
  EXPECT_FALSE(refused.is_refused_for_good(whole, kStart));
  refused.settled(whole);
  EXPECT_TRUE(refused.is_refused_for_good(whole.half('a').half('b'), later));
  refused.clear();
  EXPECT_FALSE(refused.is_refused_for_good(whole.half('a'), later));
}

TEST(RefusedBatches, WhatWasTriedIsBehindUntilItIsSettledAndNotWithoutBound) {
  RefusedBatches refused;
  refused.put_behind(BatchName::of(1, 0), 3);
  refused.put_behind(BatchName::of(1, 0), 5);
  EXPECT_EQ(refused.behind().at(BatchName::of(1, 0)), 5U);
  refused.settled(BatchName::of(1, 0));
  EXPECT_TRUE(refused.behind().empty());
  for (std::uint64_t log = 0; log < 2 * RefusedBatches::kRefusedMax; ++log) {
    refused.put_behind(BatchName::of(log, 0), log);
  }
  EXPECT_EQ(refused.behind().size(), RefusedBatches::kRefusedMax);
}

}  // namespace
}  // namespace flagstone::upstream::launchdarkly
