#include "tests/bench/latency_histogram.h"

#include <gtest/gtest.h>

namespace flagstone::bench {
namespace {

TEST(LatencyHistogram, HasNoPercentilesOfNothing) {
  EXPECT_EQ(LatencyHistogram().percentile_us(0.5), 0);
}

TEST(LatencyHistogram, PercentilesAreRightToABucket) {
  LatencyHistogram histogram;
  for (std::uint64_t us = 1; us <= 1000; ++us) histogram.count(us * 1000);
  EXPECT_NEAR(histogram.percentile_us(0.5), 500, 500 * 0.016);
  EXPECT_NEAR(histogram.percentile_us(0.99), 990, 990 * 0.016);
  EXPECT_EQ(histogram.percentile_us(1), 1000);
  EXPECT_EQ(histogram.max_us(), 1000);
}

TEST(LatencyHistogram, HoldsAnyLatency) {
  // The edges of the exact buckets, of octaves and of the type.
  for (const std::uint64_t ns : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{63},
                                 std::uint64_t{64}, std::uint64_t{127}, std::uint64_t{128},
                                 std::uint64_t{129}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    LatencyHistogram histogram;
    histogram.count(ns);
    const double us = static_cast<double>(ns) / 1000;
    EXPECT_NEAR(histogram.percentile_us(0.5), us, us * 0.016) << ns;
    EXPECT_EQ(histogram.counted(), 1u);
  }
}

}  // namespace
}  // namespace flagstone::bench
