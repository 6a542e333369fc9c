#include "sidecar/writer.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace flagstone::sidecar {
namespace {

std::chrono::steady_clock::time_point in_a_minute() {
  return std::chrono::steady_clock::now() + std::chrono::minutes(1);
}

TEST(Writer, DoesJobsInOrderAndFinishesThem) {
  std::vector<int> done;
  Writer writer;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(writer.submit([&done, i] { done.push_back(i); }));
  }
  EXPECT_TRUE(writer.finish(in_a_minute()));
  ASSERT_EQ(done.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
  EXPECT_FALSE(writer.submit([] {})) << "a finished writer takes no more";
}

TEST(Writer, RefusesWhatDoesNotFitInsteadOfBlocking) {
  std::promise<void> started;
  std::promise<void> go_on;
  Writer writer;
  ASSERT_TRUE(writer.submit([&] {
    started.set_value();
    go_on.get_future().wait();
  }));
  started.get_future().wait();
  std::size_t done = 0;
  for (std::size_t i = 0; i < Writer::kMaxQueuedJobs; ++i) {
    ASSERT_TRUE(writer.submit([&done] { ++done; }));
  }
  EXPECT_FALSE(writer.submit([&done] { ++done; }));
  go_on.set_value();
  EXPECT_TRUE(writer.finish(in_a_minute()));
  EXPECT_EQ(done, Writer::kMaxQueuedJobs);
}

TEST(Writer, SaysWhenTheDiskDoesNotAnswerInTime) {
  std::promise<void> started;
  std::promise<void> go_on;
  Writer writer;
  ASSERT_TRUE(writer.submit([&] {
    started.set_value();
    go_on.get_future().wait();
  }));
  started.get_future().wait();
  EXPECT_FALSE(writer.finish(std::chrono::steady_clock::now()));
  go_on.set_value();
}

}  // namespace
}  // namespace flagstone::sidecar
