#include "config/regular_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "config/file.h"
#include "config/secret.h"

namespace flagstone::config {
namespace {

constexpr std::size_t kBytesMax = 100'000;

class RegularFile : public testing::Test {
 protected:
  RegularFile() { std::filesystem::create_directory(folder_); }
  ~RegularFile() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& text) const {
    const std::string path = folder_ + "/file";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  // A pipe that nobody ever writes to: who opens it the plain way waits for ever.
  std::string pipe() const {
    const std::string path = folder_ + "/pipe";
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    return path;
  }

  const std::string folder_ = testing::TempDir() + "flagstone_" +
                              testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(RegularFile, IsReadWholeUpToTheMaximum) {
  for (const std::size_t size : {0UZ, 1UZ, 4095UZ, 4096UZ, 4097UZ, 12288UZ, 99999UZ, kBytesMax}) {
    std::string text(size, 'x');
    if (size > 1) {
      text[size - 1] = '\0';
    }
    EXPECT_EQ(read_regular_file(write(text), kBytesMax), text);
  }
  EXPECT_EQ(read_regular_file(write("abcdef"), 3), "abc");
}

TEST_F(RegularFile, IsFoundBehindALink) {
  write("abc");
  std::filesystem::create_symlink("file", folder_ + "/link");
  EXPECT_EQ(read_regular_file(folder_ + "/link", kBytesMax), "abc");
}

TEST_F(RegularFile, NothingElseIsRead) {
  const std::unexpected irregular(std::string("is not a regular file"));
  EXPECT_EQ(read_regular_file(pipe(), kBytesMax), irregular);
  EXPECT_EQ(read_regular_file("/dev/zero", kBytesMax), irregular);
  EXPECT_EQ(read_regular_file(folder_, kBytesMax), irregular);
  EXPECT_EQ(read_regular_file(folder_ + "/none", kBytesMax),
            std::unexpected(std::string("cannot be read: No such file or directory")));
}

TEST_F(RegularFile, APipeAsConfigurationIsRefused) {
  const std::string path = pipe();
  Options options;
  ProblemList problems;
  std::vector<std::string> warnings;
  read_config_file(path, options, problems, warnings);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(to_string(problems[0]), path + ": is not a regular file");
}

TEST_F(RegularFile, APipeAsSecretIsRefused) {
  const std::string path = pipe();
  const auto secret = read_secret({.file = path, .variable = {}, .text = {}}, process_variable);
  ASSERT_FALSE(secret);
  EXPECT_EQ(secret.error(), "credential file " + path + " is not a regular file");
}

}  // namespace
}  // namespace flagstone::config
