#include "cache/text_files.h"

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <vector>

namespace flagstone::cache {
namespace {

class EmptyFile final : public ReadableFile {
 public:
  explicit EmptyFile(int& open) : open_(open) { ++open_; }
  ~EmptyFile() override { --open_; }
  EmptyFile(const EmptyFile&) = delete;
  EmptyFile& operator=(const EmptyFile&) = delete;
  ReadOutcome read(std::span<char>, std::uint64_t) const override { return ReadOutcome::kFailed; }
  ReadOutcome read_at_once(std::span<char>, std::uint64_t) const override {
    return ReadOutcome::kFailed;
  }

 private:
  int& open_;
};

// A serving thread may ask for a text of a file that everybody else has let go of meanwhile: it is
// there for those who look, and not to be held again, since it is closed whoever holds it.
TEST(TextFiles, WhatNobodyHoldsIsThereForAWhileAndNotToBeHeldAgain) {
  int open = 0;
  TextFiles files;
  const std::uint32_t file = *files.add(std::make_unique<EmptyFile>(open));
  EXPECT_TRUE(files.is_held(file));
  files.hold(file);
  files.let_go(file);
  EXPECT_TRUE(files.is_held(file));
  EXPECT_TRUE(files.take_unheld().empty());
  files.let_go(file);
  EXPECT_FALSE(files.is_held(file));
  EXPECT_EQ(open, 1);
  EXPECT_EQ(files.at(file).read({}, 0), ReadOutcome::kFailed);
  ASSERT_EQ(files.take_unheld(), std::vector<std::uint32_t>{file});
  files.close(file);
  EXPECT_EQ(open, 0);
  EXPECT_EQ(files.open_count(), 0U);
  EXPECT_EQ(files.add(std::make_unique<EmptyFile>(open)), file) << "the number is free again";
  EXPECT_TRUE(files.is_held(file));
}

}  // namespace
}  // namespace flagstone::cache
