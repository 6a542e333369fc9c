#include "tests/bench/answer_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace flagstone::bench {
namespace {

const std::string kAnswer = "HTTP/1.1 404 Not Found\r\nDate: x\r\ncontent-length:  5\r\n\r\nhello";

TEST(AnswerReader, FindsTheEndWhereverTheBytesAreCut) {
  for (std::size_t cut = 1; cut < kAnswer.size(); ++cut) {
    AnswerReader reader;
    // Twice, since a connection is kept alive.
    for (int answer = 0; answer < 2; ++answer) {
      EXPECT_EQ(reader.feed(std::string_view(kAnswer).substr(0, cut)), 0) << cut;
      EXPECT_EQ(reader.feed(std::string_view(kAnswer).substr(cut)), 404) << cut;
    }
  }
}

TEST(AnswerReader, EndsWithTheHeaderWhenThereIsNoBody) {
  AnswerReader reader;
  EXPECT_EQ(reader.feed("HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n"), 304);
}

struct Refused {
  std::string bytes;
  AnswerReader::Error error;
};

TEST(AnswerReader, RefusesWhatItCannotFollow) {
  const Refused table[] = {
      {"HTTP/1.1 200 OK\r\n\r\n", AnswerReader::Error::kNoContentLength},
      {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", AnswerReader::Error::kNoContentLength},
      {kAnswer + "!", AnswerReader::Error::kSurplus},
      {std::string(20000, 'a'), AnswerReader::Error::kHeaderTooLong},
  };
  for (const Refused& row : table) {
    const auto status = AnswerReader().feed(row.bytes);
    ASSERT_FALSE(status) << row.bytes.substr(0, 60);
    EXPECT_EQ(status.error(), row.error) << row.bytes.substr(0, 60);
  }
}

}  // namespace
}  // namespace flagstone::bench
