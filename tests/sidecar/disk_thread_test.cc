#include "sidecar/disk_thread.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace flagstone::sidecar {
namespace {

std::chrono::steady_clock::time_point in_a_minute() {
  return std::chrono::steady_clock::now() + std::chrono::minutes(1);
}

// A thread whose job at work waits until it is let go.
class HeldThread {
 public:
  HeldThread() {
    EXPECT_TRUE(thread.submit([this] {
      started_.set_value();
      go_on_.get_future().wait();
    }));
    started_.get_future().wait();
  }
  void let_go() { go_on_.set_value(); }

 private:
  std::promise<void> started_;
  std::promise<void> go_on_;

 public:
  DiskThread thread;  // The last: it ends first.
};

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
  HeldThread held;
  std::size_t done = 0;
  for (std::size_t i = 0; i < DiskThread::kQueuedJobsMax; ++i) {
    ASSERT_TRUE(held.thread.submit([&done] { ++done; }));
  }
  EXPECT_FALSE(held.thread.submit([&done] { ++done; }));
  held.let_go();
  EXPECT_TRUE(held.thread.finish(in_a_minute()));
  EXPECT_EQ(done, DiskThread::kQueuedJobsMax);
}

TEST(DiskThread, WhatIsDroppedIsNotWaitedFor) {
  HeldThread held;
  bool done = false;
  ASSERT_TRUE(held.thread.submit([&done] { done = true; }));
  held.thread.drop_queued();
  held.let_go();
  EXPECT_TRUE(held.thread.finish(in_a_minute()));
  EXPECT_FALSE(done);
}

TEST(DiskThread, SaysWhenTheDiskDoesNotAnswerInTime) {
  HeldThread held;
  EXPECT_FALSE(held.thread.finish(std::chrono::steady_clock::now()));
  held.let_go();
}

}  // namespace
}  // namespace flagstone::sidecar
