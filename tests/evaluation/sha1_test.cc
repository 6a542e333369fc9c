#include "evaluation/sha1.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>
#include <string>
#include <string_view>

namespace flagstone::evaluation {
namespace {

std::string hex(const Sha1::Digest& digest) {
  std::string text;
  for (const std::uint32_t word : digest) {
    char piece[9];
    std::snprintf(piece, sizeof piece, "%08x", word);
    text += piece;
  }
  return text;
}

std::string sha1(std::string_view bytes) {
  Sha1 hash;
  hash.add(bytes);
  return hex(hash.finish());
}

// Also the plain code where the processor has instructions of its own.
std::string sha1_plainly(std::string_view one_block) {
  std::array<char, kSha1BlockBytes> block{};
  std::copy(one_block.begin(), one_block.end(), block.begin());
  block[one_block.size()] = '\x80';
  block.back() = static_cast<char>(one_block.size() * 8);
  Sha1State state = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  mix_sha1_plainly(state, block.data());
  return hex(state);
}

TEST(Sha1, GivesTheStandardsDigests) {
  EXPECT_EQ(sha1_plainly("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(sha1(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(sha1("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  EXPECT_EQ(sha1(std::string(1'000'000, 'a')), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

// Every length around a block's end, whole and in two pieces.
TEST(Sha1, DoesNotDependOnHowTheBytesAreCut) {
  const std::string bytes(200, 'x');
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const std::string_view text = std::string_view(bytes).substr(0, size);
    const std::string whole = sha1(text);
    for (std::size_t cut = 0; cut <= size; cut += 7) {
      Sha1 hash;
      hash.add(text.substr(0, cut));
      hash.add(text.substr(cut));
      ASSERT_EQ(hex(hash.finish()), whole) << size << " cut at " << cut;
    }
  }
  EXPECT_EQ(sha1(std::string_view(bytes).substr(0, 55)),
            "cef734ba81a024479e09eb5a75b6ddae62e6abf1");
}

#ifdef __x86_64__
// Block after block from any state, as plain C++ mixes them.
TEST(Sha1, TheProcessorsInstructionsMixAsPlainCode) {
  if (!has_sha1_instructions()) GTEST_SKIP() << "this processor has none";
  std::mt19937 random(1);
  Sha1State plain = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  Sha1State by_instructions = plain;
  for (int i = 0; i < 10'000; ++i) {
    std::array<char, kSha1BlockBytes> block;
    for (char& byte : block) byte = static_cast<char>(random());
    mix_sha1_plainly(plain, block.data());
    mix_sha1_by_instructions(by_instructions, block.data());
    ASSERT_EQ(plain, by_instructions) << i;
  }
}
#endif

}  // namespace
}  // namespace flagstone::evaluation
