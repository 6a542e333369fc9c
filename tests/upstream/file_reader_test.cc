#include "upstream/file_reader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/fakes/cache/page_cache.h"
#include "tests/fakes/upstream/source_fixture.h"

namespace flagstone::upstream {
namespace {

TEST(ReadFile, WholeContentWithItsStamp) {
  const fakes::TemporaryFolder folder;
  const std::string path = folder.path("f");
  for (const std::string& bytes : {std::string(), std::string("x"), std::string(100'000, 'y')}) {
    fakes::write_file(path, bytes);
    const auto read = read_file_blocking({path, 100'000, {}});
    ASSERT_TRUE(read);
    EXPECT_EQ(read->bytes, bytes);
    EXPECT_EQ(read->stamp.size, bytes.size());
    EXPECT_FALSE(read->unchanged);

    const auto again = read_file_blocking({path, 100'000, read->stamp});
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->unchanged);
    EXPECT_EQ(again->bytes, "");
  }
}

TEST(ReadFile, AReplacedFileHasAnotherStamp) {
  const fakes::TemporaryFolder folder;
  fakes::write_file(folder.path("f"), "same");
  const auto read = read_file_blocking({folder.path("f"), 100, {}});
  fakes::replace_file(folder.path("f"), "same");
  const auto again = read_file_blocking({folder.path("f"), 100, read->stamp});
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->unchanged);
  EXPECT_EQ(again->bytes, "same");
}

// In a container, what the kernel reads ahead counts as the daemon's memory.
TEST(ReadFile, APieceBringsNothingFromBehindIt) {
  constexpr std::size_t kFileBytes = std::size_t{4} << 20;
  constexpr std::size_t kPieceBytes = std::size_t{256} << 10;
  // Not in /tmp, which may be memory.
  std::string path = std::filesystem::current_path() / "file-reader-XXXXXX";
  const int file = ::mkstemp(path.data());
  ASSERT_GE(file, 0);
  const bool has_pages = fakes::fill_and_forget(path, kFileBytes);
  for (std::size_t pieces = 1; has_pages && pieces <= 3; ++pieces) {
    const auto read = read_file_blocking({.path = path,
                                          .max_bytes = kFileBytes,
                                          .offset = (pieces - 1) * kPieceBytes,
                                          .piece_bytes = kPieceBytes});
    EXPECT_TRUE(read);
    EXPECT_LE(fakes::bytes_in_memory(file, kFileBytes), pieces * kPieceBytes);
  }
  ::close(file);
  std::filesystem::remove(path);
  if (!has_pages) GTEST_SKIP() << "this file system has its files in memory, or no single pages";
}

TEST(ReadFile, SaysWhyNot) {
  const fakes::TemporaryFolder folder;
  fakes::write_file(folder.path("large"), "12345");
  ASSERT_EQ(::mkfifo(folder.path("pipe").c_str(), 0600), 0);
  ASSERT_EQ(::symlink("loop", folder.path("loop").c_str()), 0);
  struct Case {
    std::string name;
    FileError::Kind kind;
    std::string message;
  };
  const Case cases[] = {
      {"none", FileError::Kind::kMissing, "No such file or directory"},
      {"large/x", FileError::Kind::kMissing, "Not a directory"},
      {"large", FileError::Kind::kTooLarge, "larger than 4 bytes"},
      {"", FileError::Kind::kUnreadable, "not a regular file"},
      {"pipe", FileError::Kind::kUnreadable, "not a regular file"},
      {"loop", FileError::Kind::kUnreadable, "Too many levels of symbolic links"},
  };
  for (const Case& c : cases) {
    const auto read = read_file_blocking({folder.path(c.name), 4, {}});
    ASSERT_FALSE(read) << c.name;
    EXPECT_EQ(read.error().kind, c.kind) << c.name;
    EXPECT_EQ(read.error().message, c.message);
  }
}

TEST(ReadFile, FilesOfTheKernelThatHaveNoSizeAreBoundedToo) {
  EXPECT_TRUE(read_file_blocking({"/proc/self/status", 100'000, {}}));
  const auto read = read_file_blocking({"/proc/self/status", 10, {}});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, FileError::Kind::kTooLarge);
}

}  // namespace
}  // namespace flagstone::upstream
