#include "upstream/grpc_frames.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace flagstone::upstream {
namespace {

// "(5hello)" for a message of five bytes, whatever pieces it was given in.
std::string cut(GrpcFrames& frames, std::string_view bytes) {
  std::string told;
  while (true) {
    const GrpcPart part = frames.next(bytes);
    switch (part.kind) {
      case GrpcPart::Kind::kMore:
        EXPECT_TRUE(bytes.empty());
        return told;
      case GrpcPart::Kind::kBegin:
        told += (part.compressed ? "z(" : "(") + std::to_string(part.length);
        break;
      case GrpcPart::Kind::kPiece:
        EXPECT_FALSE(part.piece.empty());
        told += part.piece;
        break;
      case GrpcPart::Kind::kEnd:
        told += ")";
        break;
    }
  }
}

TEST(GrpcFramesTest, TheSameWhateverPiecesItComesIn) {
  using namespace std::string_literals;
  const std::string body =
      "\0\0\0\0\5hello\0\0\0\0\0\1\0\0\0\2zz\0\0\0\1\0"s + std::string(256, 'x');
  const std::string expected = "(5hello)(0)z(2zz)(256" + std::string(256, 'x') + ")";
  for (std::size_t size = 1; size <= body.size(); ++size) {
    GrpcFrames frames;
    std::string told;
    for (std::size_t at = 0; at < body.size(); at += size) {
      told += cut(frames, std::string_view(body).substr(at, size));
    }
    EXPECT_EQ(told, expected) << size;
    EXPECT_TRUE(frames.between_messages());
  }
}

TEST(GrpcFramesTest, KnowsWhenItIsInsideAMessage) {
  using namespace std::string_literals;
  const std::string body = "\0\0\0\0\2ab"s;
  for (std::size_t size = 1; size < body.size(); ++size) {
    GrpcFrames frames;
    EXPECT_TRUE(frames.between_messages());
    cut(frames, std::string_view(body).substr(0, size));
    EXPECT_FALSE(frames.between_messages()) << size;
  }
}

TEST(GrpcFramesTest, ALengthIsOnlyANumber) {
  using namespace std::string_literals;
  GrpcFrames frames;
  EXPECT_EQ(cut(frames, "\0\xff\xff\xff\xff"s), "(4294967295");
  EXPECT_EQ(cut(frames, "a"), "a");
}

}  // namespace
}  // namespace flagstone::upstream
