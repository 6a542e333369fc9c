// A document's way through the state directory's disk, which may be late or full, and what is said
// of a directory that cannot be used at all.
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/loop.h"
#include "sidecar/disk_thread.h"
#include "sidecar/state_saver.h"
#include "sidecar/writer_event_disk.h"

namespace flagstone::sidecar {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// The log's lines, without their times.
class Lines final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  std::vector<std::string> take() { return std::exchange(lines_, {}); }

 private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    lines_.emplace_back(line.payload.begin(), line.payload.end());
  }
  void flush_() override {}

  std::vector<std::string> lines_;
};

class StateSpoolTest : public testing::Test {
 protected:
  // Not in /tmp, which may be memory.
  StateSpoolTest() : folder_(std::filesystem::current_path() / "state-spool-XXXXXX") {
    if (::mkdtemp(folder_.data()) == nullptr) std::abort();
  }
  ~StateSpoolTest() override {
    hold_.reset();
    (void)writer_.finish(std::chrono::steady_clock::now() + std::chrono::minutes(1));
    std::filesystem::remove_all(folder_);
  }

  StateSaver& open(const std::string& folder, std::uint64_t limit_bytes = 64 * kMiB) {
    saver_.emplace(loop_, writer_, reader_, log_, folder, limit_bytes);
    saver_->set_active({});
    wait_for_disk();
    return *saver_;
  }
  StateSaver& open() { return open(folder_); }
  void wait_for_disk() {
    saver_->after_what_is_queued([this] { loop_.stop(); });
    loop_.run();
  }
  // The disk does nothing until it is let go.
  void hold_disk() {
    hold_.emplace();
    std::promise<void> held;
    ASSERT_TRUE(writer_.submit([&held, go_on = hold_->get_future()]() mutable {
      held.set_value();
      go_on.wait();
    }));
    held.get_future().wait();
  }
  void let_disk_go() { hold_.reset(); }

  std::string folder_;
  net::Loop loop_;
  DiskThread writer_;
  DiskThread reader_;
  std::shared_ptr<Lines> lines_ = std::make_shared<Lines>();
  spdlog::logger log_{"test", lines_};
  std::optional<StateSaver> saver_;
  std::optional<std::promise<void>> hold_;
};

TEST_F(StateSpoolTest, WhatALateDiskHasNotTakenIsCountedAndNotRefused) {
  StateSaver& saver = open();
  if (saver.facts().on_memory) GTEST_SKIP() << "this folder is memory";
  hold_disk();
  const auto spool = saver.open();
  ASSERT_NE(spool, nullptr);
  for (std::size_t i = 1; i <= 20; ++i) {
    ASSERT_TRUE(spool->append(std::string(kMiB, static_cast<char>('a' + i))));
    EXPECT_EQ(spool->waiting_bytes(), i * kMiB);
  }
  let_disk_go();
  wait_for_disk();
  EXPECT_EQ(spool->waiting_bytes(), 0U);
  const auto file = spool->file();
  ASSERT_FALSE(file->problem) << file->problem->message;
  for (std::size_t i = 1; i <= 20; ++i) {
    std::array<char, 1> byte{};
    ASSERT_EQ(file->file->read(byte, i * kMiB - 1), cache::ReadOutcome::kDone);
    EXPECT_EQ(byte[0], static_cast<char>('a' + i));
  }
}

// An fsync of seconds is usual on a busy volume; a flag's text is not to wait for it.
TEST_F(StateSpoolTest, ATextThatSomebodyWaitsForDoesNotWaitForWhatIsWritten) {
  StateSaver& saver = open();
  if (saver.facts().on_memory) GTEST_SKIP() << "this folder is memory";
  const auto spool = saver.open();
  ASSERT_TRUE(spool->append("text"));
  wait_for_disk();
  const auto file = spool->file();
  ASSERT_FALSE(file->problem) << file->problem->message;
  hold_disk();
  bool late = false;
  saver.after_what_is_queued([&late] { late = true; });
  saver.bring(*file->file, 0, 4, [this] { loop_.stop(); });
  loop_.run();
  EXPECT_FALSE(late) << "the writer is still held";
}

TEST_F(StateSpoolTest, AFullQueuePassesAndAFullStateDoesNot) {
  StateSaver& saver = open(folder_, kMiB);
  if (saver.facts().on_memory) GTEST_SKIP() << "this folder is memory";
  const auto spool = saver.open();
  ASSERT_NE(spool, nullptr);
  const auto over = spool->append(std::string(kMiB + 1, 'x'));
  ASSERT_FALSE(over);
  EXPECT_FALSE(over.error().passes);
  EXPECT_NE(over.error().message.find("state.limit"), std::string::npos);
  hold_disk();
  while (writer_.submit([] {})) {
  }
  const auto late = spool->append("x");
  ASSERT_FALSE(late);
  EXPECT_TRUE(late.error().passes);
  const auto another = saver.open();
  ASSERT_TRUE(another->file()->problem);
  EXPECT_TRUE(another->file()->problem->passes);
}

TEST_F(StateSpoolTest, AFolderThatCannotBeUsedIsToldOnceWithTheRemedy) {
  const std::string file = folder_ + "/file";
  std::ofstream(file) << "no folder";
  for (const bool has_events : {false, true}) {
    saver_.emplace(loop_, writer_, reader_, log_, file + "/state", 64 * kMiB);
    if (has_events) (void)saver_->events_of("production");
    saver_->set_active({});
    for (const char* name : {"staging", "production"}) {
      saver_->load({.environment = name,
                    .index = 0,
                    .dialect = "flagd",
                    .options = {},
                    .uri = "u",
                    .selector = {},
                    .credential = {}},
                   [](std::optional<cache::LoadedState> state) { EXPECT_FALSE(state); });
      saver_->load_blob(name, "usage", [](std::optional<std::string>) {});
    }
    wait_for_disk();
    const auto lines = lines_->take();
    ASSERT_EQ(lines.size(), 1U) << lines.back();
    EXPECT_NE(lines[0].find("Not a directory"), std::string::npos) << lines[0];
    EXPECT_NE(lines[0].find("`state.dir`"), std::string::npos) << lines[0];
    EXPECT_EQ(lines[0].find("events wait in memory") != std::string::npos, has_events);
  }
}

}  // namespace
}  // namespace flagstone::sidecar
