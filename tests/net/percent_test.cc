#include "net/percent.h"

#include <gtest/gtest.h>

namespace flagstone::net {
namespace {

TEST(Percent, WhatIsEncodedComesBack) {
  struct Row {
    std::string plain;
    std::string encoded;
  };
  const Row rows[] = {
      {"", ""},
      {"aZ09-._~", "aZ09-._~"},
      {"(p:x:1)&=+ \n\xC3\xA9", "%28p%3Ax%3A1%29%26%3D%2B%20%0A%C3%A9"},
      {"a/b%2F", "a%2Fb%252F"},
  };
  for (const Row& row : rows) {
    std::string encoded = "kept";
    percent_encode(row.plain, encoded);
    EXPECT_EQ(encoded, "kept" + row.encoded);
    std::string plain = "kept";
    ASSERT_TRUE(percent_decode(row.encoded, plain)) << row.encoded;
    EXPECT_EQ(plain, "kept" + row.plain);
  }
}

TEST(Percent, EscapesThatAreNoneAreRefused) {
  for (const char* text : {"%", "a%2", "%zz", "%%41", "%4g"}) {
    std::string plain;
    EXPECT_FALSE(percent_decode(text, plain)) << text;
  }
}

}  // namespace
}  // namespace flagstone::net
