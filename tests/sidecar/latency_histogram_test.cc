#include <gtest/gtest.h>

#include "sidecar/serving_counters.h"

namespace flagstone::sidecar {
namespace {

TEST(LatencyHistogram, CountsEachTimeInTheFirstBucketThatHoldsIt) {
  LatencyHistogram histogram;
  histogram.record(0);
  histogram.record(1'000);
  histogram.record(1'001);
  histogram.record(2'000'000'000);
  EXPECT_EQ(histogram.bucket(0), 2u);
  EXPECT_EQ(histogram.bucket(1), 1u);
  EXPECT_EQ(histogram.bucket(LatencyHistogram::kBoundsNs.size()), 1u);
  EXPECT_EQ(histogram.sum_ns(), 2'000'002'001u);
}

}  // namespace
}  // namespace flagstone::sidecar
