#include "tests/bench/answer_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace flagstone::bench {
namespace {

const std::string kAnswer = "HTTP/1.1 404 Not Found\r\nDate: x\r\ncontent-length:  5\r\n\r\nhello";
const std::string kChunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

struct Followed {
  const char* what;
  std::string bytes;
  int status;
};

const Followed kFollowed[] = {
    {"a length", kAnswer, 404},
    {"no body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n", 304},
    {"one chunk", kChunkedHead + "5\r\nhello\r\n0\r\n\r\n", 200},
    {"many chunks, the bytes of lines in them",
     kChunkedHead +
         "4\r\n\r\n0\r\r\n00011\r\n0\r\n\r\nHTTP/1.1 404\r\na\r\n{\"a\":\"b\"}\n\r\n0\r\n\r\n",
     200},
    {"no chunk but the last", kChunkedHead + "0\r\n\r\n", 200},
    {"sizes in either case", kChunkedHead + "A\r\n0123456789\r\n0b\r\n0123456789a\r\n000\r\n\r\n",
     200},
    {"extensions and trailers",
     kChunkedHead + "2;a=\"b\"\r\n{}\r\n0 ;c\r\nETag: \"1\"\r\nx: y\r\n\r\n", 200},
    {"the name and its place in any manner",
     "HTTP/1.1 503 \r\nContent-Type: a\r\ntransfer-ENCODING:chunked\r\nDate: "
     "x\r\n\r\n1\r\nx\r\n0\r\n\r\n",
     503},
};

TEST(AnswerReader, FindsTheEndWhereverTheBytesAreCut) {
  for (const Followed& row : kFollowed) {
    for (std::size_t cut = 1; cut < row.bytes.size(); ++cut) {
      AnswerReader reader;
      // Twice, since a connection is kept alive.
      for (int answer = 0; answer < 2; ++answer) {
        EXPECT_EQ(reader.feed(std::string_view(row.bytes).substr(0, cut)), 0) << row.what << cut;
        EXPECT_EQ(reader.feed(std::string_view(row.bytes).substr(cut)), row.status)
            << row.what << cut;
      }
    }
  }
}

TEST(AnswerReader, FindsTheEndByteByByte) {
  for (const Followed& row : kFollowed) {
    AnswerReader reader;
    for (std::size_t i = 0; i < row.bytes.size(); ++i)
      EXPECT_EQ(reader.feed(std::string_view(row.bytes).substr(i, 1)),
                i + 1 < row.bytes.size() ? 0 : row.status)
          << row.what << i;
  }
}

TEST(AnswerReader, TakesTheDifferentKindsInTurn) {
  AnswerReader reader;
  for (int round = 0; round < 2; ++round)
    for (const Followed& row : kFollowed) EXPECT_EQ(reader.feed(row.bytes), row.status) << row.what;
}

struct Refused {
  std::string bytes;
  AnswerReader::Error error;
};

TEST(AnswerReader, RefusesWhatItCannotFollow) {
  using enum AnswerReader::Error;
  const Refused table[] = {
      {"HTTP/1.1 200 OK\r\n\r\n", kNoLength},
      {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", kNoLength},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello", kNoLength},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", kNoLength},
      {kAnswer + "!", kSurplus},
      {kChunkedHead + "0\r\n\r\n!", kSurplus},
      {kChunkedHead + "\r\n", kBadChunk},
      {kChunkedHead + "x\r\n", kBadChunk},
      {kChunkedHead + "-1\r\n", kBadChunk},
      {kChunkedHead + "5x\r\nhello\r\n", kBadChunk},
      {kChunkedHead + "5\nhello\r\n", kBadChunk},
      {kChunkedHead + "4\r\nhello\r\n", kBadChunk},
      {kChunkedHead + "fffffffffffffffff\r\n", kBadChunk},
      {std::string(20000, 'a'), kHeaderTooLong},
      {kChunkedHead + std::string(20000, '0'), kHeaderTooLong},
      {kChunkedHead + "0\r\n" + std::string(20000, 'a'), kHeaderTooLong},
  };
  for (const Refused& row : table) {
    const auto status = AnswerReader().feed(row.bytes);
    ASSERT_FALSE(status) << row.bytes.substr(0, 80);
    EXPECT_EQ(status.error(), row.error) << row.bytes.substr(0, 80);
  }
}

}  // namespace
}  // namespace flagstone::bench
