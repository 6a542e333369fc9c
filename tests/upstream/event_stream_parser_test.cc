#include "upstream/event_stream_parser.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace flagstone::upstream {
namespace {

using Part = EventStreamParser::Part;
using Strings = std::vector<std::string>;

// What a stream says, an entry for each event, comment and retry: "name|data".
struct Reading {
  explicit Reading(std::uint64_t event_bytes_max = 1 << 20) : parser(event_bytes_max) {}

  void feed(std::string_view bytes) {
    for (;;) {
      switch (parser.next(bytes)) {
        case Part::kMore:
          EXPECT_TRUE(bytes.empty());
          return;
        case Part::kData:
          data += parser.piece();
          ++pieces;
          named_early = std::string(parser.name());
          break;
        case Part::kEvent:
          EXPECT_EQ(parser.name(), named_early);
          said.push_back(std::string(parser.name()) + "|" + data);
          data.clear();
          break;
        case Part::kComment:
          said.emplace_back("comment");
          break;
        case Part::kRetry:
          said.push_back("retry " + std::to_string(parser.retry().count()));
          break;
        case Part::kTooLarge:
          said.push_back("too large: " + std::string(parser.problem()));
          return;
        case Part::kBroken:
          said.push_back("broken: " + std::string(parser.problem()));
          return;
      }
    }
  }

  EventStreamParser parser;
  std::string data;
  std::string named_early;
  int pieces = 0;
  Strings said;
};

Strings read_in_pieces(std::string_view stream, std::size_t piece) {
  Reading reading;
  for (std::size_t at = 0; at < stream.size(); at += piece) reading.feed(stream.substr(at, piece));
  return reading.said;
}

struct Row {
  std::string what;
  std::string stream;
  Strings said;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows = {
      {"an event", "event: put\ndata: {\"a\":1}\n\n", {"put|{\"a\":1}"}},
      {"without spaces", "event:put\ndata:x\n\n", {"put|x"}},
      {"one space alone is taken off", "event:  put\ndata:  x \n\n", {" put| x "}},
      {"CR", "event: a\rdata: 1\r\rdata: 2\r\r", {"a|1", "message|2"}},
      {"CRLF", "event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", {"a|1", "message|2"}},
      {"mixed ends", "event: a\rdata: 1\ndata: 2\r\n\ndata: 3\n\r\n", {"a|1\n2", "message|3"}},
      {"a byte order mark",
       "\xEF\xBB\xBF"
       "data: x\n\n",
       {"message|x"}},
      {"half a mark is a field",
       "\xEF\xBB"
       "data: x\ndata: y\n\n",
       {"message|y"}},
      {"a mark elsewhere is a field",
       "data: x\n\xEF\xBB\xBF"
       "data: y\n\n",
       {"message|x"}},
      {"comments", ":\n: hello\n\n:x\ndata: 1\n\n", {"comment", "comment", "comment", "message|1"}},
      {"a name behind an empty event",
       ":\n\nevent: a\ndata: 1\n\n\nevent: b\ndata: 2\n\n",
       {"comment", "a|1", "b|2"}},
      {"lines of data", "data: a\ndata:\ndata: b\n\n", {"message|a\n\nb"}},
      {"data without a colon", "data\n\n", {"message|"}},
      {"two of them", "data\ndata\n\n", {"message|\n"}},
      {"an empty value", "data:\n\n", {"message|"}},
      {"no data, no event", "event: a\n\ndata: x\n\n", {"message|x"}},
      {"data before the name", "data: 1\ndata: 2\nevent: late\ndata: 3\n\n", {"late|1\n2\n3"}},
      {"the last name counts", "event: a\nevent: b\ndata: x\n\n", {"b|x"}},
      {"an empty name is none", "event:\ndata: x\n\n", {"message|x"}},
      {"ids are passed over",
       "id: 7\ndata: a\n\nid\ndata: b\n\nid: 7\n\n",
       {"message|a", "message|b"}},
      {"retry",
       "retry: 1500\nretry: x\nretry: -1\nretry: 1.5\nretry:\ndata: x\n\n",
       {"retry 1500", "message|x"}},
      {"retry has its bound", "retry: 99999999999\n", {"retry 86400000"}},
      {"unknown fields",
       "dat: 1\ndatas: 2\nDATA: 3\nfoo\nverylongfieldname: 4\ndata: x\n\n",
       {"message|x"}},
      {"a colon in data", "data: a: b:c\n\n", {"message|a: b:c"}},
      {"not ended", "data: x\n", {}},
      {"a name that changes behind its data",
       "event: a\ndata: 1\nevent: b\n\n",
       {"broken: an event's name changes behind its data"}},
      {"a name of the other kind of length",
       "event: " + std::string(5000, 'n') + "\n",
       {"too large: a field is too large"}},
  };
  return kRows;
}

TEST(EventStreamParserTest, ReadsWhateverThePieces) {
  for (const Row& row : rows()) {
    for (std::size_t piece = 1; piece <= row.stream.size(); ++piece) {
      Strings said = read_in_pieces(row.stream, piece);
      // Once broken it stays so, piece for piece.
      while (said.size() > row.said.size() && said.back().contains(": ")) said.pop_back();
      EXPECT_EQ(said, row.said) << row.what << ", pieces of " << piece;
    }
  }
}

TEST(EventStreamParserTest, ReadsWhereverItIsSplit) {
  for (const Row& row : rows()) {
    for (std::size_t at = 0; at <= row.stream.size(); ++at) {
      Reading reading;
      reading.feed(std::string_view(row.stream).substr(0, at));
      reading.feed(std::string_view(row.stream).substr(at));
      if (reading.said.size() > row.said.size()) reading.said.pop_back();
      EXPECT_EQ(reading.said, row.said) << row.what << ", split at " << at;
    }
  }
}

TEST(EventStreamParserTest, DataGoesOutAsItComes) {
  Reading reading;
  reading.feed("event: put\ndata: ab");
  EXPECT_EQ(reading.data, "ab");
  reading.feed("cd");
  EXPECT_EQ(reading.data, "abcd");
  EXPECT_EQ(reading.pieces, 2);
  EXPECT_FALSE(reading.parser.between_events());
  reading.feed("\n\n");
  EXPECT_EQ(reading.said, Strings{"put|abcd"});
  EXPECT_TRUE(reading.parser.between_events());
}

TEST(EventStreamParserTest, AnEventHasAMostSize) {
  for (const std::string name : {"event: a\n", ""}) {
    Reading fits(10);
    fits.feed(name + "data: 1234\ndata: 56789\n\n");
    ASSERT_EQ(fits.said.size(), 1U);
    EXPECT_TRUE(fits.said[0].contains("1234\n56789"));
    fits.feed(name + "data: 0123456789\n\n");
    EXPECT_EQ(fits.said.size(), 2U) << "each event is measured for itself";

    Reading over(10);
    over.feed(name + "data: 1234\ndata: 567890\n\n");
    EXPECT_EQ(over.said, Strings{"too large: an event is too large"});
    over.feed("data: x\n\n");
    EXPECT_EQ(over.said.size(), 2U) << "nothing is read any more";
  }
}

}  // namespace
}  // namespace flagstone::upstream
