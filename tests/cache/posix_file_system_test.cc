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
constexpr std::size_t kFileBytes = std::size_t{4} << 20;
constexpr std::size_t kReadBytes = std::size_t{1} << 20;
constexpr std::size_t kPieceBytes = std::size_t{4} << 10;
constexpr std::size_t kReadAheadBytes = std::size_t{128} << 10;

TEST_F(PosixFileSystemTest, ReadingInOrderBringsLittleFromBehindIt) {
  const OpenFile named(files_, *files_.create(path_ + "/named"));
  const OpenFile unnamed(files_, *files_.create_unnamed(path_));
  for (const OpenFile* file : {&named, &unnamed}) {
    if (!fakes::write_and_forget(file->descriptor(), kFileBytes)) GTEST_SKIP() << "kept in memory";
    std::string piece(kPieceBytes, 'x');
    for (std::size_t at = 0; at < kReadBytes; at += kPieceBytes) {
      ASSERT_EQ(files_.read_at(file->descriptor(), piece, at), kPieceBytes);
    }
    EXPECT_LE(fakes::bytes_in_memory(file->descriptor()), kReadBytes);

    ASSERT_TRUE(fakes::write_and_forget(file->descriptor(), kFileBytes));
    const auto shared = files_.share(file->descriptor());
    for (std::size_t at = 0; at < kReadBytes; at += kPieceBytes) {
      ASSERT_EQ((*shared)->read(piece, at), ReadOutcome::kDone);
    }
    EXPECT_LE(fakes::bytes_in_memory(file->descriptor()), kReadBytes + kReadAheadBytes);
  }
}

TEST_F(PosixFileSystemTest, NeighboursComeAlongForWhoReadsInOrder) {
  const OpenFile file(files_, *files_.create(path_ + "/file"));
  if (!fakes::write_and_forget(file.descriptor(), kFileBytes)) GTEST_SKIP() << "kept in memory";
  const auto shared = files_.share(file.descriptor());
  std::string piece(kPieceBytes, 'x');
  // The last waits for what the second had brought along.
  for (const std::size_t at : {std::size_t{0}, kPieceBytes, kReadAheadBytes}) {
    ASSERT_EQ((*shared)->read(piece, at), ReadOutcome::kDone);
  }
  EXPECT_GT(fakes::bytes_in_memory(file.descriptor()), 3 * kPieceBytes);
}

TEST_F(PosixFileSystemTest, ReadingHereAndThereBringsNoNeighbours) {
  const OpenFile file(files_, *files_.create(path_ + "/file"));
  if (!fakes::write_and_forget(file.descriptor(), kFileBytes)) GTEST_SKIP() << "kept in memory";
  const auto shared = files_.share(file.descriptor());
  std::string piece(kPieceBytes, 'x');
  constexpr std::size_t kPieces = 8;
  for (std::size_t n = 0; n < kPieces; ++n) {
    ASSERT_EQ((*shared)->read(piece, (n * 5 % kPieces) * (kFileBytes / kPieces)),
              ReadOutcome::kDone);
  }
  EXPECT_LE(fakes::bytes_in_memory(file.descriptor()), kPieces * kPieceBytes);
}

TEST(Sha256Test, KnownAnswers) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace
}  // namespace flagstone::cache
