#include "upstream/random_bytes.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace flagstone::upstream {
namespace {

TEST(RandomBytes, AsManyAsAskedForAndNeverTheSame) {
  EXPECT_EQ(random_bytes(0), "");
  for (const std::size_t count : {1U, 8U, 16U, 256U}) EXPECT_EQ(random_bytes(count).size(), count);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(random_bytes(16)).second);
}

}  // namespace
}  // namespace flagstone::upstream
