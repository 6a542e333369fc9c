#include "evaluation/workbench.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "evaluation/dialects/flagd/flagd_dialect.h"
#include "tests/evaluation/dialects/flagd/flag_store.h"

namespace flagstone::evaluation::flagd {
namespace {

TEST(Workbench, IsKeptAfterSmallRecordsOnly) {
  WorkbenchStore benches;
  auto bench = benches.take();
  Workbench* const first = bench.get();
  bench->arena.allocate(100, 8);
  benches.give_back(std::move(bench), 100);
  bench = benches.take();
  EXPECT_EQ(bench.get(), first);
  // The second taker at a time gets its own.
  EXPECT_NE(benches.take().get(), first);

  // Kept benches could not be told from new ones by their address; by their arena's memory they
  // can.
  benches.give_back(std::move(bench), WorkbenchStore::kKeptRecordBytesMax + 1);
  bench = benches.take();
  EXPECT_EQ(bench->arena.bytes(), 0U);
  bench->arena.allocate(WorkbenchStore::kKeptArenaBytesMax + 1, 8);
  benches.give_back(std::move(bench), 100);
  EXPECT_EQ(benches.take()->arena.bytes(), 0U);
}

// One record's leftovers must not show in the next, and any thread may compile.
TEST(Workbench, CompilesFromManyThreadsAlike) {
  const auto dialect = make_flagd_dialect();
  FlagStore store(R"({"flags":{}})");
  std::vector<std::thread> threads;
  std::vector<std::size_t> right(4);
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&dialect, &store, &right, t] {
      Scratch scratch;
      for (int i = 0; i < 200; ++i) {
        const std::string name = std::to_string(t) + "-" + std::to_string(i);
        const auto flag = dialect->compile(
            {kFlagKind, "", "f",
             R"({"variants":{"\u0061)" + name + R"(":[1, 2.0]},"defaultVariant":"a)" + name +
                 R"(","metadata":{"x":1,"n\"":[ 1 ],"y":2,"x":")" + name + R"(","y":null}})"});
        ASSERT_TRUE(flag) << flag.error().message;
        const Evaluation answer =
            dialect->evaluate({"f", "", **flag, nullptr}, {}, store, {}, scratch);
        right[t] += answer.variant == "a" + name && answer.value_json == "[1,2.0]" &&
                    answer.variant_json == "\"a" + name + "\"" &&
                    answer.metadata_members == R"("x":")" + name + R"(","n\"":[1])";
        EXPECT_FALSE(dialect->compile({kFlagKind, "", "f", R"({"variants":)"}));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::size_t count : right) EXPECT_EQ(count, 200U);
}

}  // namespace
}  // namespace flagstone::evaluation::flagd
