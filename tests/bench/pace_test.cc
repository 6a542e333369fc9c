#include "tests/bench/pace.h"

#include <gtest/gtest.h>

namespace flagstone::bench {
namespace {

TEST(Pace, AStallLeavesTheMomentsWhereTheyWere) {
  Pace pace(1000, 5'000'000);
  EXPECT_EQ(pace.next_ns(), 5'000'000u);
  EXPECT_FALSE(pace.is_due(4'999'999));
  EXPECT_EQ(pace.overdue(4'999'999), 0u);
  EXPECT_TRUE(pace.is_due(5'000'000));
  EXPECT_EQ(pace.overdue(5'000'000), 1u);
  EXPECT_EQ(pace.overdue(7'900'000), 3u);
  for (const std::uint64_t expected_ns : {5'000'000u, 6'000'000u, 7'000'000u, 8'000'000u}) {
    EXPECT_EQ(pace.next_ns(), expected_ns);
    pace.take();
  }
  EXPECT_EQ(pace.overdue(7'900'000), 0u);
}

TEST(Pace, RoundingDoesNotAddUp) {
  Pace pace(3'000'000, 0);  // every third of a microsecond
  for (int i = 0; i < 3'000'000; ++i) pace.take();
  EXPECT_EQ(pace.next_ns(), 1'000'000'000u);
}

}  // namespace
}  // namespace flagstone::bench
