// Events wait beside the state, under the same limit.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cache/durable_write.h"
#include "cache/state_directory.h"
#include "tests/fakes/cache/fake_file_system.h"

namespace flagstone::cache {
namespace {

constexpr std::uint64_t kLimit = 100'000;

class StateEventFolderTest : public testing::Test {
 protected:
  StateEventFolderTest() {
    open();
    directory->set_active({source("shop")});
    for (const char* environment : {"shop", "gone"}) {
      const std::string folder = directory->events_folder(environment);
      EXPECT_TRUE(make_folders(disk, folder));
      for (const char* name : {"9-000.batch", "10-000.batch", "11.log"}) {
        EXPECT_TRUE(replace_file(disk, folder, name, std::string(10'000, 'e')));
      }
    }
    open();
    directory->set_active({source("shop")});
  }
  void open() {
    directory.reset();
    directory = std::make_unique<StateDirectory>(
        disk, StateOptions{.path = "/state",
                           .limit_bytes = kLimit,
                           .salt = "0123456789abcdef",
                           .shrink_events = [this](const std::string& folder, std::uint64_t bytes) {
                             asked.emplace_back(folder, bytes);
                             if (left) directory->set_events_bytes("shop", *left);
                           }});
  }
  static SourceIdentity source(std::string environment) {
    return {.environment = std::move(environment),
            .index = 0,
            .dialect = "fake",
            .options = {},
            .uri = "https://flags",
            .selector = {},
            .credential = {}};
  }
  bool is_there(const std::string& path) const {
    const auto files = disk.files();
    return std::ranges::find(files, path) != files.end();
  }

  fakes::FakeFileSystem disk;
  std::unique_ptr<StateDirectory> directory;
  // What the shop's events were asked for, and what of them is left then; empty: all.
  std::vector<std::pair<std::string, std::uint64_t>> asked;
  std::optional<std::uint64_t> left;
};

TEST_F(StateEventFolderTest, AreCounted) {
  EXPECT_EQ(directory->used_bytes(), 60'000U);
  directory->set_events_bytes("shop", 5'000);
  EXPECT_EQ(directory->used_bytes(), 35'000U);
}

TEST_F(StateEventFolderTest, ThoseOfAnEnvironmentThatIsNoMoreGoFirst) {
  EXPECT_TRUE(directory->make_room_for_events(60'000));
  EXPECT_FALSE(is_there("/state/gone/events/9-000.batch"));
  EXPECT_TRUE(is_there("/state/shop/events/9-000.batch"));
  EXPECT_EQ(directory->used_bytes(), 30'000U);
  // Others make no room for events.
  EXPECT_FALSE(directory->make_room_for_events(80'000));
  EXPECT_TRUE(is_there("/state/shop/events/9-000.batch"));
}

TEST_F(StateEventFolderTest, TheOldestBatchesGoForTheStateAndTheLogStays) {
  ASSERT_TRUE(directory->save_blob("shop", "usage", std::string(75'000, 'u')));
  EXPECT_FALSE(is_there("/state/shop/events/9-000.batch"));
  EXPECT_TRUE(is_there("/state/shop/events/10-000.batch"));
  EXPECT_TRUE(is_there("/state/shop/events/11.log"));
  EXPECT_LE(directory->used_bytes(), kLimit);
}

TEST_F(StateEventFolderTest, WhatCanBeFewerIsAskedFirst) {
  left = 15'000;
  ASSERT_TRUE(directory->save_blob("shop", "usage", std::string(80'000, 'u')));
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].first, "/state/shop/events");
  // The blob and a little, the 30,000 bytes of the shop's, and no more than that is missing.
  EXPECT_GE(asked[0].second, 10'000U);
  EXPECT_LE(asked[0].second, 15'000U);
  EXPECT_TRUE(is_there("/state/shop/events/9-000.batch"));
}

TEST_F(StateEventFolderTest, WhatWouldNotHelpIsNotDone) {
  EXPECT_FALSE(directory->save_blob("shop", "usage", std::string(2 * kLimit, 'u')));
  EXPECT_TRUE(asked.empty());
  EXPECT_TRUE(is_there("/state/shop/events/9-000.batch"));
}

}  // namespace
}  // namespace flagstone::cache
