#include "net/gzip.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "net/rpc/gzip.h"

namespace flagstone::net {
namespace {

TEST(Gzip, ComesBackAsItWas) {
  std::mt19937 random(3);
  std::string wild(300'000, '\0');
  for (char& c : wild) c = static_cast<char>(random());
  for (const std::string& text :
       {std::string(), std::string("x"), std::string(1'000'000, 'a'), wild}) {
    const std::string packed = gzip(text);
    std::string back;
    ASSERT_EQ(Gunzip().run(packed, text.size(), back), Gunzip::Result::kDone) << text.size();
    EXPECT_EQ(back, text);
  }
  EXPECT_LT(gzip(std::string(1'000'000, 'a')).size(), 2'000U);
}

}  // namespace
}  // namespace flagstone::net
