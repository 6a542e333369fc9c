#include "cache/posix_file_system.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "cache/durable_write.h"
#include "cache/sha256.h"
#include "cache/state_directory.h"
#include "tests/cache/environment_fixture.h"
#include "tests/cache/restored_records.h"
#include "tests/fakes/cache/page_cache.h"

namespace flagstone::cache {
namespace {

class PosixFileSystemTest : public testing::Test {
 protected:
  PosixFileSystemTest() {
    std::string name = testing::TempDir() + "/flagstone-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~PosixFileSystemTest() override { std::filesystem::remove_all(path_); }

  PosixFileSystem files_;
  std::string path_;
};

mode_t mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777;
}

TEST_F(PosixFileSystemTest, StateDirectoryOnARealDisk) {
  const SourceIdentity who{.environment = "default",
                           .index = 0,
                           .dialect = "fake",
                           .options = "",
                           .uri = "u",
                           .selector = "",
                           .credential = ""};
  const StateOptions options{.path = path_ + "/a/state", .limit_bytes = 1 << 20, .salt = "salt"};
  EnvironmentFixture f;
  f.accept(1, fakes::full({fakes::flag("a", "1")}, "etag"));
  StateDirectory first(files_, options);
  ASSERT_TRUE(first.writable()) << first.problem();
  ASSERT_TRUE(first.save(who, *f.environment->take_state_write(1), 5));
  f.accept(1, fakes::delta({fakes::flag("a", "2")}, "etag-2"));
  auto write = f.environment->take_state_write(1);
  write->contact_unix_ms = 4;
  ASSERT_TRUE(first.save(who, *write, 6));

  StateDirectory second(files_, options);
  EXPECT_FALSE(second.writable()) << "the first has the lock";
  std::vector<std::string> warnings;
  auto state = second.load(who, warnings);
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(restored_records(state->layer).at(0).raw, "2");
  EXPECT_EQ(state->layer.update.cursor, "etag-2");
  EXPECT_EQ(state->contact_unix_ms, 4) << "and not when it was written";
  for (const auto& item : std::filesystem::recursive_directory_iterator(path_ + "/a")) {
    EXPECT_EQ(mode_of(item.path()), item.is_directory() ? 0700U : 0600U) << item.path();
  }
}

TEST_F(PosixFileSystemTest, ReplaceFileLeavesNoTemporary) {
  ASSERT_TRUE(replace_file(files_, path_, "x", "one"));
  ASSERT_TRUE(replace_file(files_, path_, "x", "two"));
  EXPECT_EQ(read_file(files_, path_ + "/x", 10), "two");
  EXPECT_EQ(read_file(files_, path_ + "/x", 2).error().code, EFBIG);
  EXPECT_EQ(files_.list(path_)->size(), 1U);
}

TEST_F(PosixFileSystemTest, ErrorsNameCallAndCause) {
  const auto missing = files_.open_for_reading(path_ + "/missing");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ENOENT);
  EXPECT_EQ(describe(missing.error()), "open " + path_ + "/missing: No such file or directory");
  ASSERT_EQ(::symlink("/etc/passwd", (path_ + "/link").c_str()), 0);
  EXPECT_EQ(files_.open_for_writing(path_ + "/link").error().code, ELOOP);
  EXPECT_GT(*files_.free_bytes(path_), 0U);
  EXPECT_TRUE(files_.is_memory(path_).has_value());
}

// In a container, what the kernel reads ahead counts as the daemon's memory.
class ReadAheadTest : public testing::Test {
 protected:
  static constexpr std::size_t kFileBytes = std::size_t{4} << 20;
  static constexpr std::size_t kReadBytes = std::size_t{1} << 20;
  static constexpr std::size_t kReadAheadBytes = std::size_t{128} << 10;

  // Not in /tmp, which may be memory.
  ReadAheadTest() : path_(std::filesystem::current_path() / "read-ahead-XXXXXX") {
    const int file = ::mkstemp(path_.data());
    if (file < 0) std::abort();
    ::close(file);
  }
  ~ReadAheadTest() override { std::filesystem::remove(path_); }

  bool forget() { return fakes::fill_and_forget(path_, kFileBytes); }
  std::size_t in_memory(const OpenFile& file) const {
    return fakes::bytes_in_memory(file.descriptor(), kFileBytes);
  }

  PosixFileSystem files_;
  std::string path_;
  std::string page_ = std::string(fakes::page_bytes(), 'x');
};

constexpr const char* kNoPages = "this file system has its files in memory, or no single pages";

TEST_F(ReadAheadTest, ReadingInOrderBringsLittleFromBehindIt) {
  if (!forget()) GTEST_SKIP() << kNoPages;
  const OpenFile file(files_, *files_.open_for_reading(path_));
  for (std::size_t at = 0; at < kReadBytes; at += page_.size()) {
    ASSERT_EQ(files_.read_at(file.descriptor(), page_, at), page_.size());
  }
  EXPECT_LE(in_memory(file), kReadBytes);
}

TEST_F(ReadAheadTest, TextsInOrderBringLittleFromBehindThem) {
  if (!forget()) GTEST_SKIP() << kNoPages;
  const OpenFile file(files_, *files_.open_for_writing(path_));
  const auto shared = files_.share(file.descriptor());
  for (std::size_t at = 0; at < kReadBytes; at += page_.size()) {
    ASSERT_EQ((*shared)->read(page_, at), ReadOutcome::kDone);
  }
  EXPECT_LE(in_memory(file), kReadBytes + kReadAheadBytes);
}

TEST_F(ReadAheadTest, NeighboursComeAlongForWhoReadsInOrder) {
  if (!forget()) GTEST_SKIP() << kNoPages;
  const OpenFile file(files_, *files_.open_for_reading(path_));
  const auto shared = files_.share(file.descriptor());
  // The last waits for what the second had brought along.
  for (const std::size_t at : {std::size_t{0}, page_.size(), kReadAheadBytes}) {
    ASSERT_EQ((*shared)->read(page_, at), ReadOutcome::kDone);
  }
  EXPECT_GT(in_memory(file), 3 * page_.size());
}

TEST_F(ReadAheadTest, ReadingHereAndThereBringsNoNeighbours) {
  if (!forget()) GTEST_SKIP() << kNoPages;
  const OpenFile file(files_, *files_.open_for_reading(path_));
  const auto shared = files_.share(file.descriptor());
  constexpr std::size_t kPieces = 8;
  for (std::size_t n = 0; n < kPieces; ++n) {
    // Twice, as a text is read whose pages were dropped before it was used.
    const std::size_t at = (n * 5 % kPieces) * (kFileBytes / kPieces);
    ASSERT_EQ((*shared)->read(page_, at), ReadOutcome::kDone);
    ASSERT_EQ((*shared)->read(page_, at), ReadOutcome::kDone);
  }
  EXPECT_LE(in_memory(file), kPieces * page_.size());
}

TEST(Sha256Test, KnownAnswers) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace
}  // namespace flagstone::cache
