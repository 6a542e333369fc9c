// Peers that mean harm: each is answered with GOAWAY(ENHANCE_YOUR_CALM) soon, and holds little
// until then.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "tests/fakes/net/http2_bench.h"

namespace flagstone::net {
namespace {

constexpr std::uint8_t kWholeRequest = NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM;

std::string number(std::uint32_t value) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift);
  return bytes;
}

// Of the GOAWAY among these frames; 0 without one.
std::uint32_t goaway_error(std::string_view frames) {
  constexpr std::size_t kHeadBytes = 9;
  const auto number_at = [&](std::size_t at, std::size_t count) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      value = value << 8 | static_cast<unsigned char>(frames.at(at + i));
    }
    return value;
  };
  while (frames.size() >= kHeadBytes) {
    if (frames[3] == NGHTTP2_GOAWAY) return number_at(kHeadBytes + 4, 4);
    frames.remove_prefix(kHeadBytes + number_at(0, 3));
  }
  return 0;
}

struct Ended {
  std::size_t rounds = 0;
  std::size_t bytes = 0;
  std::uint32_t error = 0;
};

// Gives what the attack makes of 0, 1, 2, …, until the session takes no more.
Ended attack(Http2Bench& bench, const std::function<std::string(std::uint32_t)>& round,
             std::size_t rounds_max = 100'000) {
  Ended ended;
  std::string said = bench.give(http2_begin());
  while (ended.rounds < rounds_max && bench.session->takes_bytes()) {
    const std::string bytes = round(static_cast<std::uint32_t>(ended.rounds));
    said += bench.give(bytes);
    ended.bytes += bytes.size();
    ++ended.rounds;
  }
  ended.error = goaway_error(said);
  return ended;
}

void expect_calmed(const Http2Bench& bench, const Ended& ended) {
  EXPECT_EQ(ended.error, NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_EQ(bench.counters.floods.read(), 1u);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kCut);
}

TEST(Http2Flood, RapidReset) {
  Http2Bench bench;
  const Ended ended = attack(bench, [](std::uint32_t i) {
    const std::uint32_t id = 2 * i + 1;
    return http2_frame(NGHTTP2_HEADERS, kWholeRequest, id, http2_get_fields()) +
           http2_frame(NGHTTP2_RST_STREAM, 0, id, number(NGHTTP2_CANCEL));
  });
  EXPECT_EQ(ended.rounds, 201u);
  expect_calmed(bench, ended);
}

TEST(Http2Flood, ResetsComeBackWithTime) {
  HttpLimits limits;
  limits.reset_burst = 50;
  Http2Bench bench(limits);
  bench.resources.now_ms = 1'000'000;
  const Ended ended = attack(
      bench,
      [&](std::uint32_t i) {
        const std::uint32_t id = 2 * i + 1;
        bench.resources.now_ms += 31;
        return http2_frame(NGHTTP2_HEADERS, kWholeRequest, id, http2_get_fields()) +
               http2_frame(NGHTTP2_RST_STREAM, 0, id, number(NGHTTP2_CANCEL));
      },
      95);  // nghttp2's own limit knows the true time and is twice ours
  EXPECT_EQ(ended.rounds, 95u);
  EXPECT_EQ(ended.error, 0u);
}

TEST(Http2Flood, MadeYouReset) {
  const std::string post = std::string("\x83\x86\x84\x01\x09", 5) + "localhost";
  struct Row {
    const char* what;
    std::string wrong(std::uint32_t id) const { return make(id); }
    std::function<std::string(std::uint32_t)> make;
  };
  const Row rows[] = {
      {"a window beyond its maximum",
       [](std::uint32_t id) {
         return http2_frame(NGHTTP2_WINDOW_UPDATE, 0, id, number(0x7fffffff));
       }},
      {"a body longer than its length",
       [](std::uint32_t id) { return http2_frame(NGHTTP2_DATA, 0, id, std::string(70, 'x')); }},
      {"a field that is forbidden",
       [](std::uint32_t id) {
         return http2_frame(NGHTTP2_HEADERS, kWholeRequest, id, std::string("\x00\x01X\x01y", 5));
       }},
  };
  for (const Row& row : rows) {
    Http2Bench bench;
    const bool with_length = std::string_view(row.what).starts_with("a body");
    const Ended ended = attack(bench, [&](std::uint32_t i) {
      const std::uint32_t id = 2 * i + 1;
      const std::string fields = with_length ? post + std::string(
                                                          "\x0f\x0d\x01"
                                                          "5",
                                                          4)
                                             : post;
      return http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, id, fields) + row.wrong(id);
    });
    EXPECT_LE(ended.rounds, 202u) << row.what;
    expect_calmed(bench, ended);
  }
}

TEST(Http2Flood, FramesThatCostThePeerNothing) {
  struct Row {
    const char* what;
    std::string frame;
  };
  const std::string setting = std::string("\x00\x04\x00\x00\xff\xff", 6);
  const Row rows[] = {
      {"PING", http2_frame(NGHTTP2_PING, 0, 0, "12345678")},
      {"SETTINGS", http2_frame(NGHTTP2_SETTINGS, 0, 0, setting)},
      {"empty SETTINGS", http2_frame(NGHTTP2_SETTINGS, 0, 0)},
      {"PRIORITY", http2_frame(NGHTTP2_PRIORITY, 0, 101, number(0) + "x")},
      {"WINDOW_UPDATE", http2_frame(NGHTTP2_WINDOW_UPDATE, 0, 0, number(1))},
      {"PING acknowledged", http2_frame(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, "12345678")},
  };
  for (const Row& row : rows) {
    Http2Bench bench;
    const Ended ended = attack(bench, [&](std::uint32_t) { return row.frame; });
    EXPECT_LE(ended.rounds, 1001u) << row.what;
    EXPECT_GE(ended.rounds, 990u) << row.what;
    expect_calmed(bench, ended);
  }
}

TEST(Http2Flood, EmptyAndTinyData) {
  for (const std::string body : {"", "x"}) {
    Http2Bench bench;
    const std::string post = std::string("\x83\x86\x84\x01\x09", 5) + "localhost";
    bool begun = false;
    const Ended ended = attack(bench, [&](std::uint32_t) {
      std::string bytes;
      if (!std::exchange(begun, true)) {
        bytes = http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, post);
      }
      return bytes + http2_frame(NGHTTP2_DATA, 0, 1, body);
    });
    EXPECT_LE(ended.rounds, 1002u) << body;
    expect_calmed(bench, ended);
  }
}

// A client that measures its bandwidth by a PING, and opens two windows, with each answer.
TEST(Http2Flood, WhatAnHonestClientSendsIsEarned) {
  Http2Bench bench;
  const Ended ended = attack(
      bench,
      [&](std::uint32_t i) {
        const std::uint32_t id = 2 * i + 1;
        return http2_frame(NGHTTP2_HEADERS, kWholeRequest, id, http2_get_fields()) +
               http2_frame(NGHTTP2_PING, 0, 0, "12345678") +
               http2_frame(NGHTTP2_WINDOW_UPDATE, 0, 0, number(6)) +
               http2_frame(NGHTTP2_WINDOW_UPDATE, 0, id, number(6));
      },
      5000);
  EXPECT_EQ(ended.rounds, 5000u);
  EXPECT_EQ(bench.counters.requests.read(), 5000u);
}

TEST(Http2Flood, ContinuationWithoutEnd) {
  for (const std::size_t size : {0u, 1u, 1000u, 16384u}) {
    Http2Bench bench;
    bool begun = false;
    // Literal fields without indexing, as large as the frame.
    const Ended ended = attack(bench, [&](std::uint32_t) {
      std::string bytes;
      if (!std::exchange(begun, true)) {
        bytes = http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, http2_get_fields());
      }
      return bytes + http2_frame(NGHTTP2_CONTINUATION, 0, 1, std::string(size, '\x82'));
    });
    EXPECT_NE(bench.session->phase(), SessionPhase::kHeader) << size;
    EXPECT_FALSE(bench.session->takes_bytes()) << size;
    EXPECT_LE(ended.bytes, 256u * 1024) << size;
    EXPECT_EQ(bench.counters.floods.read(), 1u) << size;
    EXPECT_LE(bench.session->library_bytes(), 128u * 1024) << size;
  }
}

// A few bytes on the wire that become a lot when decoded: one large field, referred to again and
// again.
TEST(Http2Flood, HpackBomb) {
  Http2Bench bench;
  std::string value(4000, 'v');
  std::string fields = http2_get_fields();
  fields += std::string("\x40\x01x\x7f", 4);  // indexed from now on; the length is 127 + 3873
  std::size_t rest = value.size() - 127;
  for (; rest >= 128; rest /= 128) fields += static_cast<char>(0x80 | (rest % 128));
  fields += static_cast<char>(rest);
  fields += value;
  std::string bomb = fields + std::string(10'000, '\xbe');
  std::string said = bench.give(http2_begin());
  said += bench.give(http2_frame(NGHTTP2_HEADERS, kWholeRequest, 1, bomb));
  EXPECT_EQ(bench.handler.seen.size(), 0u);
  EXPECT_FALSE(bench.session->takes_bytes());
  EXPECT_EQ(bench.counters.floods.read(), 1u);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kCut);

  Http2Bench smaller;  // too large for a request, but no attack
  said = smaller.give(http2_begin());
  said += smaller.give(
      http2_frame(NGHTTP2_HEADERS, kWholeRequest, 1, fields + std::string(20, '\xbe')));
  Http2Client reader;
  reader.get("/");
  reader.bytes();
  reader.give(said);
  EXPECT_EQ(reader.answers[1].status, 431);
  EXPECT_TRUE(smaller.session->takes_bytes());
}

TEST(Http2Flood, MoreStreamsThanAllowedAreRefused) {
  HttpLimits limits;
  limits.streams_max = 5;
  Http2Bench bench(limits, {.stream_window = 0, .opens_windows = false});
  bench.exchange();
  EXPECT_EQ(bench.client.streams_max(), 5u);
  std::string bytes;
  for (std::uint32_t id = 1; id < 21; id += 2) {
    bytes += http2_frame(NGHTTP2_HEADERS, kWholeRequest, id, http2_get_fields());
  }
  bench.give(bytes);
  EXPECT_EQ(bench.handler.seen.size(), 5u);
}

}  // namespace
}  // namespace flagstone::net
