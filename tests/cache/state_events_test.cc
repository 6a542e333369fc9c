// Events wait beside the state, under the same limit.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "cache/durable_write.h"
#include "cache/state_directory.h"
#include "tests/fakes/cache/fake_file_system.h"

namespace flagstone::cache {
namespace {

constexpr std::uint64_t kLimit = 100'000;

class StateEventsTest : public testing::Test {
 protected:
  StateEventsTest() {
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
        disk, StateOptions{.path = "/state", .limit_bytes = kLimit, .salt = "0123456789abcdef"});
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
};

TEST_F(StateEventsTest, AreCounted) {
  EXPECT_EQ(directory->used_bytes(), 60'000U);
  directory->set_events_bytes("shop", 5'000);
  EXPECT_EQ(directory->used_bytes(), 35'000U);
}

TEST_F(StateEventsTest, ThoseOfAnEnvironmentThatIsNoMoreGoFirst) {
  EXPECT_TRUE(directory->make_room_for_events(60'000));
  EXPECT_FALSE(is_there("/state/gone/events/9-000.batch"));
  EXPECT_TRUE(is_there("/state/shop/events/9-000.batch"));
  EXPECT_EQ(directory->used_bytes(), 30'000U);
  // Others make no room for events.
  EXPECT_FALSE(directory->make_room_for_events(80'000));
  EXPECT_TRUE(is_there("/state/shop/events/9-000.batch"));
}

TEST_F(StateEventsTest, TheOldestBatchesGoForTheStateAndTheLogStays) {
  ASSERT_TRUE(directory->save_blob("shop", "usage", std::string(75'000, 'u')));
  EXPECT_FALSE(is_there("/state/shop/events/9-000.batch"));
  EXPECT_TRUE(is_there("/state/shop/events/10-000.batch"));
  EXPECT_TRUE(is_there("/state/shop/events/11.log"));
  EXPECT_LE(directory->used_bytes(), kLimit);
}

}  // namespace
}  // namespace flagstone::cache
