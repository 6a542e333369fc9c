// The state needs room that events have: who keeps them is asked for it, by way of their folder.
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cache/durable_write.h"
#include "net/loop.h"
#include "sidecar/disk_thread.h"
#include "sidecar/state_saver.h"
#include "upstream/event_folder.h"

namespace flagstone::sidecar {
namespace {

constexpr std::uint64_t kLimit = 100'000;

// Has one file, and can do without it.
struct Events final : upstream::ShrinkableEvents {
  explicit Events(std::shared_ptr<upstream::EventFolder> in) : folder(std::move(in)) {}
  void fill() {
    const std::string path = folder->path();
    EXPECT_TRUE(
        cache::replace_file(folder->files(), path, "1-000.batch", std::string(60'000, 'e')));
    folder->set_bytes(60'000);
  }
  void shrink(std::uint64_t bytes) override {
    asked.push_back(bytes);
    EXPECT_TRUE(folder->files().unlink(folder->path() + "/1-000.batch"));
    folder->set_bytes(0);
  }

  std::shared_ptr<upstream::EventFolder> folder;
  std::vector<std::uint64_t> asked;
};

class StateEventFolderTest : public testing::Test {
 protected:
  StateEventFolderTest() {
    std::string path = std::filesystem::temp_directory_path() / "flagstone-state-events-XXXXXX";
    folder = mkdtemp(path.data());
  }
  ~StateEventFolderTest() override {
    EXPECT_TRUE(writer.finish(std::chrono::steady_clock::now() + std::chrono::seconds(30)));
    std::filesystem::remove_all(folder);
  }
  void wait_for_the_disk() {
    saver->after_what_is_queued([this] { loop.stop(); });
    loop.run();
  }

  std::string folder;
  net::Loop loop;
  DiskThread writer;
  DiskThread reader;
  spdlog::logger log{"test"};
  std::unique_ptr<StateSaver> saver;
};

TEST_F(StateEventFolderTest, WhoKeepsThemIsAskedForRoomWhileHeIsThere) {
  saver = std::make_unique<StateSaver>(loop, writer, reader, log, folder, kLimit);
  const auto disk = saver->events_of("shop");
  auto events = std::make_shared<Events>(disk->folder());
  EXPECT_TRUE(disk->submit([events] {
    events->folder->set_shrinkable(events);
    events->fill();
  }));
  saver->save_blob("shop", "usage", std::string(70'000, 'u'));
  wait_for_the_disk();
  ASSERT_EQ(events->asked.size(), 1U);
  EXPECT_GE(events->asked[0], 30'000U);
  EXPECT_LT(events->asked[0], 40'000U);
  EXPECT_LE(saver->facts().used_bytes, kLimit);
  EXPECT_EQ(saver->facts().failures, 0U);
  // Once he is gone his files are as those of anybody.
  EXPECT_TRUE(disk->submit([events = std::move(events)]() mutable {
    events->fill();
    events.reset();
  }));
  saver->save_blob("shop", "more", std::string(20'000, 'm'));
  wait_for_the_disk();
  EXPECT_LE(saver->facts().used_bytes, kLimit);
  EXPECT_EQ(saver->facts().failures, 0U);
}

}  // namespace
}  // namespace flagstone::sidecar
