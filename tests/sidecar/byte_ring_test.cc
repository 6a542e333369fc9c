#include "sidecar/byte_ring.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace flagstone::sidecar {
namespace {

TEST(ByteRing, GivesBackWhatWasPutInInOrder) {
  ByteRing ring(64);
  EXPECT_TRUE(ring.put("one"));
  EXPECT_TRUE(ring.put(""));
  EXPECT_TRUE(ring.put("three"));
  EXPECT_EQ(ring.used_bytes(), 20u);
  std::string out = ">";
  EXPECT_TRUE(ring.take(out));
  EXPECT_TRUE(ring.take(out));
  EXPECT_TRUE(ring.take(out));
  EXPECT_EQ(out, ">onethree");
  EXPECT_FALSE(ring.take(out));
}

TEST(ByteRing, TakesNothingInPart) {
  ByteRing ring(16);
  EXPECT_FALSE(ring.put("thirteen byte"));
  EXPECT_TRUE(ring.put("twelve bytes"));
  EXPECT_FALSE(ring.put(""));
  std::string out;
  EXPECT_TRUE(ring.take(out));
  EXPECT_EQ(out, "twelve bytes");
  EXPECT_TRUE(ring.put("x"));
}

TEST(ByteRing, MessagesGoRoundItsEnd) {
  ByteRing ring(23);
  for (int i = 0; i < 1000; ++i) {
    const std::string message(static_cast<std::size_t>(i % 18), static_cast<char>('a' + i % 26));
    ASSERT_TRUE(ring.put(message));
    std::string out;
    ASSERT_TRUE(ring.take(out));
    ASSERT_EQ(out, message);
  }
}

TEST(ByteRing, TwoThreadsLoseNothing) {
  ByteRing ring(1021);
  constexpr int kMessages = 10'000;
  std::thread writer([&] {
    for (int i = 0; i < kMessages;) {
      if (ring.put(std::to_string(i))) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  });
  for (int i = 0; i < kMessages;) {
    std::string out;
    if (!ring.take(out)) {
      std::this_thread::yield();
      continue;
    }
    ASSERT_EQ(out, std::to_string(i));
    ++i;
  }
  writer.join();
}

}  // namespace
}  // namespace flagstone::sidecar
