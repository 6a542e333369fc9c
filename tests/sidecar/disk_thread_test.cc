#include "sidecar/disk_thread.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace flagstone::sidecar {
namespace {

std::chrono::steady_clock::time_point in_a_minute() {
  return std::chrono::steady_clock::now() + std::chrono::minutes(1);
}

TEST(DiskThread, DoesJobsInOrderAndFinishesThem) {
  std::vector<int> done;
  DiskThread writer;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(writer.submit([&done, i] { done.push_back(i); }));
  }
  EXPECT_TRUE(writer.finish(in_a_minute()));
  ASSERT_EQ(done.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
  EXPECT_FALSE(writer.submit([] {})) << "a finished writer takes no more";
}

TEST(DiskThread, RefusesWhatDoesNotFitInsteadOfBlocking) {
  std::promise<void> started;
  std::promise<void> go_on;
  DiskThread writer;
  ASSERT_TRUE(writer.submit([&] {
    started.set_value();
    go_on.get_future().wait();
  }));
  started.get_future().wait();
  std::size_t done = 0;
  for (std::size_t i = 0; i < DiskThread::kQueuedJobsMax; ++i) {
    ASSERT_TRUE(writer.submit([&done] { ++done; }));
  }
  EXPECT_FALSE(writer.submit([&done] { ++done; }));
  go_on.set_value();
  EXPECT_TRUE(writer.finish(in_a_minute()));
  EXPECT_EQ(done, DiskThread::kQueuedJobsMax);
}

TEST(DiskThread, WhatIsDroppedIsNotWaitedFor) {
  std::promise<void> started;
  std::promise<void> go_on;
  bool done = false;
  DiskThread thread;
  ASSERT_TRUE(thread.submit([&] {
    started.set_value();
    go_on.get_future().wait();
  }));
  ASSERT_TRUE(thread.submit([&done] { done = true; }));
  started.get_future().wait();
  thread.drop_queued();
  go_on.set_value();
  EXPECT_TRUE(thread.finish(in_a_minute()));
  EXPECT_FALSE(done);
}

TEST(DiskThread, SaysWhenTheDiskDoesNotAnswerInTime) {
  std::promise<void> started;
  std::promise<void> go_on;
  DiskThread writer;
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
