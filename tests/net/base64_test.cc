#include "net/base64.h"

#include <gtest/gtest.h>

namespace flagstone::net {
namespace {

using namespace std::string_view_literals;

TEST(Base64, BothWays) {
  struct Row {
    std::string_view plain;
    std::string_view text;
  };
  const Row rows[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
      {"\xfb\xff\xbf", "+/+/"},
      {"\0\0\0\0\0"sv, "AAAAAAA="},
  };
  for (const Row& row : rows) {
    std::string text = "kept";
    text.append(row.plain);
    encode_base64_from(4, text);
    EXPECT_EQ(text, "kept" + std::string(row.text));
    std::string plain = "kept";
    ASSERT_TRUE(decode_base64(row.text, plain)) << row.text;
    EXPECT_EQ(plain, "kept" + std::string(row.plain));
  }
}

TEST(Base64, PaddedPiecesFollowEachOther) {
  std::string plain;
  ASSERT_TRUE(decode_base64("Zg==Zm8=Zm9vZg==", plain));
  EXPECT_EQ(plain, "ffofoof");
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* text : {"Z", "Zg", "Zg=", "=", "====", "Z===", "Zg=g", "Zm9v\n", "Zm 9", "Zm9-",
                           "Zm9_", "Zm9v=", "\xff\xff\xff\xff", "=Zg=", "Zm9vZg"}) {
    std::string plain;
    EXPECT_FALSE(decode_base64(text, plain)) << text;
  }
}

TEST(Base64, EveryByteAndLengthComesBack) {
  std::string all;
  for (unsigned i = 0; i < 600; ++i) {
    all.push_back(static_cast<char>(i * 7));
    std::string text = all;
    encode_base64_from(0, text);
    std::string plain;
    ASSERT_TRUE(decode_base64(text, plain));
    ASSERT_EQ(plain, all);
  }
}

TEST(Base64, InUrlsBothAlphabetsWithOrWithoutPadding) {
  EXPECT_EQ(decode_base64url("e30"), "{}");
  EXPECT_EQ(decode_base64url("e30="), "{}");
  EXPECT_EQ(decode_base64url(""), "");
  EXPECT_EQ(decode_base64url("-_8"), "\xFB\xFF");
  EXPECT_EQ(decode_base64url("+/8="), "\xFB\xFF");
  EXPECT_EQ(decode_base64url("eyJraW5kIjoidXNlciIsImtleSI6InUifQ"), R"({"kind":"user","key":"u"})");
  for (const std::string_view bad : {"e", "e30!", "e3 0", "e=30", "====", "e30==="}) {
    EXPECT_EQ(decode_base64url(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace flagstone::net
