#include "net/rpc/gzip.h"

#include <gtest/gtest.h>

#include "tests/fakes/net/rpc_request.h"

namespace flagstone::net {
namespace {

using Result = Gunzip::Result;

class GunzipTest : public ::testing::Test {
 protected:
  Result run(std::string_view bytes, std::size_t max = 100'000) {
    return gunzip.run(bytes, max, out);
  }
  Gunzip gunzip;
  std::string out;
};

TEST_F(GunzipTest, Messages) {
  std::string noise;
  for (unsigned i = 0; i < 70'000; ++i) noise.push_back(static_cast<char>(i * i >> 3));
  for (const std::string& text :
       {std::string(), std::string("x"), std::string(90'000, 'a'), noise}) {
    ASSERT_EQ(run(gzipped(text)), Result::kDone);
    EXPECT_EQ(out, text);
    EXPECT_GE(out.capacity(), out.size() + (text.empty() ? 0 : Request::kBodyPaddingBytes));
  }
  ASSERT_EQ(run(gzipped("one ") + gzipped("two")), Result::kDone);
  EXPECT_EQ(out, "one two");
}

TEST_F(GunzipTest, TheLimitIsExactAndABombStopsAtIt) {
  EXPECT_EQ(run(gzipped(std::string(5000, 'x')), 5000), Result::kDone);
  EXPECT_EQ(out.size(), 5000U);
  EXPECT_EQ(run(gzipped(std::string(5001, 'x')), 5000), Result::kTooLarge);
  out = std::string();
  out.shrink_to_fit();
  EXPECT_EQ(run(gzipped(std::string(50'000'000, '\0')), 100'000), Result::kTooLarge);
  EXPECT_LE(out.capacity(), 2 * (100'001 + Request::kBodyPaddingBytes));
  std::string many;
  for (int i = 0; i < 100; ++i) many += gzipped(std::string(2000, 'x'));
  EXPECT_EQ(run(many), Result::kTooLarge);
}

TEST_F(GunzipTest, WhatIsNoneIsRefused) {
  const std::string good = gzipped("a message that is long enough to be cut anywhere");
  for (std::size_t bytes = 0; bytes < good.size(); ++bytes) {
    EXPECT_EQ(run(good.substr(0, bytes)), Result::kMalformed) << bytes;
  }
  EXPECT_EQ(run(good + "x"), Result::kMalformed);
  EXPECT_EQ(run("plain text"), Result::kMalformed);
  std::string wrong_sum = good;
  wrong_sum[wrong_sum.size() - 8] ^= 1;
  EXPECT_EQ(run(wrong_sum), Result::kMalformed);
  // And it goes on working behind each of them.
  EXPECT_EQ(run(good), Result::kDone);
}

}  // namespace
}  // namespace flagstone::net
