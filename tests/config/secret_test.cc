#include "config/secret.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

namespace flagstone::config {
namespace {

std::optional<std::string> no_variable(std::string_view) { return std::nullopt; }

class SecretFile : public testing::Test {
 protected:
  ~SecretFile() override { std::remove(path_.c_str()); }

  std::string read(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    const auto secret = read_secret({.file = path_, .variable = {}, .text = {}}, no_variable);
    return secret ? secret->reveal() : "error: " + secret.error();
  }

  const std::string path_ = testing::TempDir() + "flagstone_" +
                            testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
                            std::to_string(getpid());
};

TEST(Secret, IsNeverPrinted) {
  std::ostringstream out;
  out << Secret("canary") << Secret();
  EXPECT_EQ(out.str(), "(secret)");
  EXPECT_EQ(testing::PrintToString(Secret("canary")), "(secret)");
}

TEST_F(SecretFile, IsReadWithoutItsLineEnd) {
  EXPECT_EQ(read("canary\n"), "canary");
  EXPECT_EQ(read("  canary \r\n\n"), "canary");
  EXPECT_EQ(read("can ary"), "can ary");
  EXPECT_EQ(read(std::string(kSecretBytesMax, 'x')), std::string(kSecretBytesMax, 'x'));
}

TEST_F(SecretFile, RefusesOtherFiles) {
  EXPECT_EQ(read(""), "error: credential file " + path_ + " is empty");
  EXPECT_EQ(read("\n"), "error: credential file " + path_ + " is empty");
  EXPECT_EQ(read("canary\nX-Evil: 1"),
            "error: credential file " + path_ + " must hold one line of text");
  EXPECT_EQ(read(std::string("canary\0x", 8)),
            "error: credential file " + path_ + " must hold one line of text");
  EXPECT_EQ(read(std::string(kSecretBytesMax + 1, 'x')),
            "error: credential file " + path_ + " is longer than 64 KiB");
}

TEST(Secret, SaysWhatIsMissing) {
  const auto file = read_secret({.file = "/nowhere", .variable = {}, .text = {}}, no_variable);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error(), "credential file /nowhere cannot be read: No such file or directory");
  const auto folder = read_secret({.file = "/", .variable = {}, .text = {}}, no_variable);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error(), "credential file / is not a regular file");
  const auto variable = read_secret({.file = {}, .variable = "TOKEN", .text = {}}, no_variable);
  ASSERT_FALSE(variable);
  EXPECT_EQ(variable.error(), "credential variable TOKEN is not set");
}

TEST(Secret, ShowsItsEndWhereItIsLongEnough) {
  EXPECT_EQ(end_of(Secret("sdk-0123456789ab")), "…89ab");
  EXPECT_EQ(end_of(Secret("sdk-0123456789a")), "");
  EXPECT_EQ(end_of(Secret("sdk-0123456789a\xc3\xa9")), "") << "half of a letter is none";
  EXPECT_EQ(end_of(Secret()), "");
}

TEST(Secret, ComesFromAVariableOrTheText) {
  const auto variables = [](std::string_view name) {
    return name == "TOKEN" ? std::optional<std::string>("canary\n") : std::nullopt;
  };
  EXPECT_EQ(read_secret({.file = {}, .variable = "TOKEN", .text = {}}, variables)->reveal(),
            "canary");
  EXPECT_EQ(read_secret({.file = {}, .variable = {}, .text = Secret("text")}, variables)->reveal(),
            "text");
}

}  // namespace
}  // namespace flagstone::config
