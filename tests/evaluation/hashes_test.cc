#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "evaluation/content_hash.h"
#include "evaluation/murmur3.h"

namespace flagstone::evaluation {
namespace {

struct Vector {
  std::string_view text;
  std::uint32_t seed;
  std::uint32_t hash;
};

// The first five are flagd's edges of the bucket range; the others the algorithm's own vectors.
constexpr Vector kMurmur[] = {
    {"ejOoVL", 0, 0},
    {"bY9fO-", 0, 1},
    {"SI7p-", 0, 2147483647U},
    {"6LvT0", 0, 2147483648U},
    {"ceQdGm", 0, 4294967295U},
    {"", 0, 0},
    {"", 1, 0x514E28B7U},
    {"", 0xFFFFFFFFU, 0x81F16F39U},
    {"test", 0, 0xBA6BD213U},
    {"test", 0x9747B28CU, 0x704B81DCU},
    {"Hello, world!", 0, 0xC0363E43U},
    {"The quick brown fox jumps over the lazy dog", 0, 0x2E4FF723U},
};

TEST(Murmur3, KnownHashes) {
  for (const Vector& vector : kMurmur) {
    EXPECT_EQ(murmur3_x86_32(vector.text, vector.seed), vector.hash) << vector.text;
  }
}

TEST(ContentHash, PiecesGiveTheWholesDigest) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += static_cast<char>(i * 7 + i / 256);
  for (const std::size_t cut : {0U, 1U, 3U, 240U, 241U, 1024U, 4999U, 5000U}) {
    ContentHash hash;
    hash.add(std::string_view(text).substr(0, cut));
    hash.add(std::string_view(text).substr(cut));
    EXPECT_EQ(hash.digest128(), digest128(text));
    hash.reset();
    EXPECT_EQ(hash.digest128(), digest128(""));
  }
}

TEST(ContentHash, DigestsAreThoseOfXxh3) {
  EXPECT_EQ(digest64(""), 0x2D06800538D394C2U);
  const auto text = hex(digest128(""));
  EXPECT_EQ(std::string_view(text.data(), text.size()), "99aa06d3014798d86001c324468d497f");
}

TEST(Murmur3, GoesOnBehindABeginning) {
  constexpr std::string_view kText = "checkout-flow\xff\x80user";
  for (std::size_t size = 0; size <= kText.size(); ++size) {
    const std::string_view text = kText.substr(0, size);
    for (std::size_t split = 0; split <= size; ++split) {
      const Murmur3Beginning beginning(text.substr(0, split), 7);
      EXPECT_EQ(beginning.hash_with(text.substr(split)), murmur3_x86_32(text, 7))
          << size << " " << split;
    }
  }
}

}  // namespace
}  // namespace flagstone::evaluation
