#include "upstream/flagd_sync_message.h"

#include <gtest/gtest.h>

#include <string>

namespace flagstone::upstream {
namespace {

using namespace std::string_literals;

TEST(SyncFlagsBodyTest, IsAGrpcFrameOfItsTwoFields) {
  EXPECT_EQ(sync_flags_body("", ""), "\0\0\0\0\0"s);
  EXPECT_EQ(sync_flags_body("me", ""), "\0\0\0\0\4\x0a\2me"s);
  EXPECT_EQ(sync_flags_body("me", "flagSetId=a"), "\0\0\0\0\x11\x0a\2me\x12\x0b"s + "flagSetId=a");
  const std::string id(300, 'x');
  EXPECT_EQ(sync_flags_body(id, ""), "\0\0\0\1\x2f\x0a\xac\2"s + id);
}

struct Read {
  std::string document;  // `|` where one begins.
  bool broken = false;
  bool between_fields = false;
};

Read read(std::string_view message, std::size_t size) {
  SyncFlagsResponseReader reader;
  Read result;
  for (std::size_t at = 0; at < message.size(); at += size) {
    std::string_view bytes = message.substr(at, size);
    while (true) {
      std::string_view piece;
      const auto part = reader.next(bytes, piece);
      if (part == SyncFlagsResponseReader::Part::kBegin) result.document += '|';
      if (part == SyncFlagsResponseReader::Part::kPiece) result.document += piece;
      result.broken = part == SyncFlagsResponseReader::Part::kBroken;
      if (result.broken || part == SyncFlagsResponseReader::Part::kMore) break;
    }
    if (result.broken) return result;
  }
  result.between_fields = reader.between_fields();
  return result;
}

TEST(SyncFlagsResponseReaderTest, FindsTheDocumentWhateverPiecesItComesIn) {
  struct Case {
    std::string message;
    std::string document;
  };
  const std::string large(300, 'x');
  const Case cases[] = {
      {"", ""},
      {"\x0a\2{}"s, "|{}"},
      {"\x0a\0"s, "|"},
      {"\x0a\xac\2"s + large, "|" + large},
      // sync_context before and after.
      {"\x12\3abc\x0a\2{}\x12\0"s, "|{}"},
      // Fields of a newer form, of every wire type.
      {"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\x21"
       "12345678\x2d"
       "1234\x32\1x\x0a\2{}"s,
       "|{}"},
      {"\xfa\x7f\1y\x0a\1z"s, "|z"},
      // The last one counts.
      {"\x0a\1a\x0a\1b"s, "|a|b"},
      // A length that takes more bytes than it needs.
      {"\x0a\x82\x80\0{}"s, "|{}"},
  };
  for (const Case& c : cases) {
    for (std::size_t size = 1; size <= c.message.size() + 1; ++size) {
      const Read result = read(c.message, size);
      EXPECT_FALSE(result.broken) << c.document;
      EXPECT_TRUE(result.between_fields) << c.document;
      EXPECT_EQ(result.document, c.document) << size;
    }
  }
}

TEST(SyncFlagsResponseReaderTest, WhatIsNoProtobufIsRefused) {
  const std::string cases[] = {
      "\0"s,                        // Field zero.
      "\x0b"s,                      // A group.
      "\x0c"s,                      // Its end.
      "\x0e"s,                      // No wire type.
      "\x0a\xff\xff\xff\xff\x0f"s,  // Longer than any message.
      "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"s,
      "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\1"s,
  };
  for (const std::string& message : cases) {
    for (std::size_t size = 1; size <= message.size(); ++size) {
      EXPECT_TRUE(read(message, size).broken) << testing::PrintToString(message);
    }
  }
}

TEST(SyncFlagsResponseReaderTest, ACutMessageIsNotBetweenFields) {
  const std::string message = "\x0a\2{}\x12\1x"s;
  for (std::size_t size = 1; size < message.size(); ++size) {
    const Read result = read(std::string_view(message).substr(0, size), message.size());
    EXPECT_EQ(result.between_fields, size == 4) << size;
  }
}

}  // namespace
}  // namespace flagstone::upstream
