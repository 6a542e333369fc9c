#include "upstream/launchdarkly_batch_name.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace flagstone::upstream::launchdarkly {
namespace {

TEST(BatchName, IsItsFilesName) {
  const struct {
    BatchName name;
    std::string file;
  } rows[] = {
      {BatchName::of(12, 0), "12-000.batch"},
      {BatchName::of(1, 31), "1-031.batch"},
      {BatchName::of(1, 0).half('a'), "1-000a.batch"},
      {BatchName::of(1, 0).half('b').half('a'), "1-000ba.batch"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(row.name.file_name(), row.file);
    EXPECT_EQ(BatchName::from_file_name(row.file), row.name);
  }
  EXPECT_EQ(log_file_name(12), "12.log");
  EXPECT_EQ(log_number_of("12.log"), 12U);
}

TEST(BatchName, WhatIsNoneOfOursHasNoName) {
  for (const char* file :
       {"", "12.log", "12-000.batch~", "12.batch", "x-000.batch", "-000.batch"}) {
    EXPECT_FALSE(BatchName::from_file_name(file)) << file;
  }
  for (const char* file : {"", ".log", "12", "12.logs", "x.log", "12-000.batch"}) {
    EXPECT_FALSE(log_number_of(file)) << file;
  }
}

TEST(BatchName, AHalfHasAWholeAndTheWholeHasNone) {
  const BatchName whole = BatchName::of(7, 2);
  EXPECT_FALSE(whole.whole());
  EXPECT_EQ(whole.half('a').whole(), whole);
  EXPECT_EQ(whole.half('a').half('b').whole(), whole.half('a'));
  EXPECT_TRUE(whole.has_part(whole));
  EXPECT_TRUE(whole.has_part(whole.half('a').half('b')));
  EXPECT_FALSE(whole.half('a').has_part(whole));
  EXPECT_FALSE(whole.has_part(BatchName::of(7, 3)));
  EXPECT_FALSE(whole.has_part(BatchName::of(8, 2).half('a')));
}

// A whole, its halves, the log's next batch: who looks for what is left of one needs that order.
TEST(BatchName, StandsInOrderOfLogsAndWithItsHalvesBehindIt) {
  std::map<BatchName, int> in_order;
  const BatchName whole = BatchName::of(2, 0);
  for (const BatchName& name : {BatchName::of(10, 0), BatchName::of(2, 1), whole.half('b'), whole,
                                whole.half('a').half('b'), whole.half('a')}) {
    in_order[name] = 0;
  }
  std::string names;
  for (const auto& [name, unused] : in_order) names += name.file_name() + " ";
  EXPECT_EQ(names, "2-000.batch 2-000a.batch 2-000ab.batch 2-000b.batch 2-001.batch 10-000.batch ");
  EXPECT_EQ(in_order.lower_bound(BatchName::before_all_of(2)), in_order.begin());
}

}  // namespace
}  // namespace flagstone::upstream::launchdarkly
