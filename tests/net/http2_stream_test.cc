// What an HTTP/2 session says as its peer's windows allow: event streams, shared bytes, large
// answers.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/fakes/net/http2_bench.h"

namespace flagstone::net {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;

TEST(Http2EventStream, SendsUntilTheApiClosesItWithTrailers) {
  Http2Bench bench;
  const int id = bench.client.get("/stream");
  bench.exchange();
  EXPECT_EQ(bench.answer(id).body, "data: hello\n\n");
  EXPECT_EQ(bench.answer(id).header("content-length"), "(none)");
  EXPECT_EQ(bench.session->phase(), SessionPhase::kStreaming);
  EXPECT_EQ(bench.counters.event_streams.read(), 1u);
  EXPECT_EQ(bench.handler.streams.size(), 1u);
  EventStream& stream = *bench.handler.streams[0];
  EXPECT_TRUE(stream.send("more"));
  EXPECT_EQ(bench.productions, 1);
  bench.exchange();
  EXPECT_EQ(bench.answer(id).body, "data: hello\n\nmore");
  const HeaderField status{"grpc-status", "0"};
  EXPECT_TRUE(stream.send(" last"));
  stream.close({&status, 1});
  EXPECT_FALSE(stream.open());
  EXPECT_FALSE(stream.send("x"));
  bench.exchange();
  EXPECT_EQ(bench.answer(id).body, "data: hello\n\nmore last");
  EXPECT_EQ(bench.answer(id).trailer("grpc-status"), "0");
  EXPECT_TRUE(bench.answer(id).closed);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kIdle);
  EXPECT_EQ(bench.counters.event_streams.read(), 0u);
}

TEST(Http2EventStream, OtherRequestsAreAnsweredBesideIt) {
  Http2Bench bench;
  bench.client.get("/stream");
  bench.exchange();
  const int id = bench.client.post("/echo", "beside");
  bench.exchange();
  EXPECT_EQ(bench.answer(id).body, "beside");
  EXPECT_EQ(bench.session->phase(), SessionPhase::kStreaming);
}

TEST(Http2EventStream, AbortedItIsReset) {
  Http2ClientOptions narrow;
  narrow.opens_windows = false;
  Http2Bench bench({}, narrow);
  const int id = bench.client.get("/stream");
  const int other = bench.client.get("/stream");
  bench.exchange();
  EventStream& stream = *bench.handler.streams.at(0);
  stream.set_on_closed([] { ADD_FAILURE() << "the api knows"; });
  const auto shared = std::make_shared<const std::string>(kMiB, 'x');
  EXPECT_TRUE(stream.send_shared(shared));
  bench.exchange();
  EXPECT_EQ(shared.use_count(), 2) << "the peer's window holds it back";
  stream.abort();
  EXPECT_FALSE(stream.open());
  EXPECT_EQ(shared.use_count(), 1) << "what was not said is let go of";
  EXPECT_EQ(bench.session->waiting_bytes(), 0u);
  bench.exchange();
  EXPECT_TRUE(bench.answer(id).closed);
  EXPECT_EQ(bench.answer(id).error, std::uint32_t{NGHTTP2_INTERNAL_ERROR});
  EXPECT_FALSE(bench.answer(other).closed);
  EXPECT_EQ(bench.counters.event_streams.read(), 1u);
  // Before anything of it was said.
  bench.handler.streams.at(1)->abort();
  EXPECT_EQ(bench.session->phase(), SessionPhase::kIdle);
  bench.exchange();
  EXPECT_EQ(bench.answer(other).error, std::uint32_t{NGHTTP2_INTERNAL_ERROR});
}

TEST(Http2EventStream, HeadGetsAClosedOne) {
  Http2Bench bench;
  const int id = bench.client.ask("HEAD", "/stream");
  bench.exchange();
  EXPECT_FALSE(bench.handler.streams.at(0)->open());
  EXPECT_TRUE(bench.answer(id).closed);
  EXPECT_EQ(bench.counters.event_streams.read(), 0u);
}

TEST(Http2EventStream, ThePeersResetClosesItAlone) {
  Http2Bench bench;
  const int one = bench.client.get("/stream");
  const int two = bench.client.get("/stream");
  bench.exchange();
  int closed = 0;
  // The callback may destroy the stream.
  bench.handler.streams.at(0)->set_on_closed([&] {
    ++closed;
    bench.handler.streams[0].reset();
  });
  bench.handler.streams.at(1)->set_on_closed([&] { closed += 100; });
  bench.client.reset(one);
  bench.exchange();
  EXPECT_EQ(closed, 1);
  EXPECT_EQ(bench.counters.event_streams.read(), 1u);
  EXPECT_TRUE(bench.handler.streams[1]->send("on"));
  bench.exchange();
  EXPECT_TRUE(bench.answer(two).body.ends_with("on"));
  bench.session.reset();
  EXPECT_EQ(closed, 101);
  EXPECT_FALSE(bench.handler.streams[1]->open());
  EXPECT_EQ(bench.counters.event_streams.read(), 0u);
}

TEST(Http2EventStream, OnClosedMayCloseTheOthers) {
  Http2Bench bench;
  for (int i = 0; i < 4; ++i) bench.client.get("/stream");
  bench.exchange();
  int closed = 0;
  for (const auto& stream : bench.handler.streams) {
    stream->set_on_closed([&] {
      ++closed;
      for (const auto& each : bench.handler.streams) each->close();
    });
  }
  bench.session.reset();
  EXPECT_EQ(closed, 1);
}

TEST(Http2EventStream, RefusesWhatASlowReaderCannotTakeAndTellsWhenItCan) {
  Http2Bench bench({}, {.stream_window = 1000, .opens_windows = false});
  const int id = bench.client.get("/stream");
  bench.exchange();
  EventStream& stream = *bench.handler.streams.at(0);
  int drained = 0;
  stream.set_on_drained([&] { ++drained; });
  const std::string large(EventStream::kUnsentBytesMax - 100, 'x');
  EXPECT_TRUE(stream.send(large));
  EXPECT_FALSE(stream.send(std::string(200, 'y')));
  EXPECT_TRUE(stream.send("z"));
  bench.exchange();
  EXPECT_EQ(bench.answer(id).body.size(), 1000u);
  EXPECT_GT(bench.session->waiting_bytes(), 200'000u);
  bench.session->output_drained();  // the socket has room, the window has not
  EXPECT_EQ(drained, 0);
  bench.client.open_window(id, 300'000);
  bench.client.open_window(0, 300'000);
  bench.exchange();
  EXPECT_EQ(bench.answer(id).body.size(), 13 + large.size() + 1);
  EXPECT_EQ(bench.resumes, 1);
  bench.session->output_drained();
  EXPECT_EQ(drained, 1);
  EXPECT_EQ(bench.session->waiting_bytes(), 0u);
}

TEST(Http2EventStream, MayBeDestroyedInItsDrainedCallback) {
  Http2Bench bench({}, {.stream_window = 10, .opens_windows = false});
  const int id = bench.client.get("/stream");
  bench.exchange();
  auto& stream = bench.handler.streams.at(0);
  const std::string large(EventStream::kUnsentBytesMax, 'x');
  EXPECT_FALSE(stream->send(large));  // the greeting still waits
  stream->set_on_drained([&] { stream.reset(); });
  bench.client.open_window(id, 100);
  bench.exchange();
  bench.session->output_drained();
  bench.exchange();
  EXPECT_EQ(stream, nullptr);
  EXPECT_TRUE(bench.answer(id).closed);
}

TEST(Http2EventStream, EndsProperlyAtDrain) {
  Http2Bench bench;
  const int id = bench.client.get("/stream");
  bench.exchange();
  int closed = 0;
  bench.handler.streams.at(0)->set_on_closed([&] { ++closed; });
  bench.session->finish_soon();
  bench.session->end_event_streams();
  EXPECT_EQ(closed, 1);
  bench.exchange();
  EXPECT_TRUE(bench.answer(id).closed);
  EXPECT_EQ(bench.answer(id).error, 0u);
  EXPECT_TRUE(bench.session->say_farewell());
  bench.exchange();
  EXPECT_EQ(bench.session->phase(), SessionPhase::kDone);
}

TEST(Http2EventStream, AnAnswerThatHasAnEndGoesOnAtDrain) {
  Http2Bench bench;
  const int answer = bench.client.get("/stream");
  const int endless = bench.client.get("/stream");
  bench.exchange();
  EventStream& stream = *bench.handler.streams.at(0);
  stream.set_finite();
  bench.session->finish_soon();
  bench.session->end_event_streams();
  bench.exchange();
  EXPECT_TRUE(bench.answer(endless).closed);
  EXPECT_FALSE(bench.answer(answer).closed);
  EXPECT_TRUE(stream.send("the rest"));
  stream.close();
  bench.exchange();
  EXPECT_TRUE(bench.answer(answer).closed);
  EXPECT_EQ(bench.answer(answer).error, 0u);
}

TEST(Http2EventStream, AHundredShareOneCopy) {
  Http2Bench bench({}, {.stream_window = 65535, .opens_windows = false});
  for (int i = 0; i < 100; ++i) bench.client.get("/stream");
  bench.exchange();
  ASSERT_EQ(bench.handler.streams.size(), 100u);
  const auto snapshot = std::make_shared<const std::string>(kMiB, 's');
  for (const auto& stream : bench.handler.streams) {
    EXPECT_TRUE(stream->send_shared(snapshot));
    EXPECT_FALSE(stream->send_shared(snapshot));
    EXPECT_FALSE(stream->send("small"));
  }
  EXPECT_EQ(snapshot.use_count(), 101);
  bench.exchange();
  // The peer's windows are shut, and nothing was copied for it.
  EXPECT_LE(bench.session->held_bytes(), 0u);
  EXPECT_LE(bench.session->library_bytes(), 100'000u);
  EXPECT_GT(bench.session->waiting_bytes(), 99 * kMiB);
  for (int id = 1; id < 200; id += 2) bench.client.open_window(id, 2 * kMiB);
  bench.client.open_window(0, 200 * kMiB);
  bench.exchange();
  for (int id = 1; id < 200; id += 2) {
    EXPECT_TRUE(bench.answer(id).body == "data: hello\n\n" + *snapshot) << id;
  }
  EXPECT_EQ(snapshot.use_count(), 1);
  EXPECT_EQ(bench.session->waiting_bytes(), 0u);
}

TEST(Http2EventStream, SharedBytesGoBehindOwnOnesAndBeforeTheTrailers) {
  Http2Bench bench;
  const int id = bench.client.get("/stream");
  bench.exchange();
  EventStream& stream = *bench.handler.streams.at(0);
  EXPECT_TRUE(stream.send_shared(std::make_shared<const std::string>()));
  EXPECT_TRUE(stream.send("own "));
  EXPECT_TRUE(stream.send_shared(std::make_shared<const std::string>("shared")));
  const HeaderField status{"grpc-status", "14"};
  stream.close({&status, 1});
  bench.exchange();
  EXPECT_EQ(bench.answer(id).body, "data: hello\n\nown shared");
  EXPECT_EQ(bench.answer(id).trailer("grpc-status"), "14");
}

TEST(Http2Windows, ALargeAnswerGoesAsTheWindowOpens) {
  Http2Bench bench({}, {.stream_window = 10, .opens_windows = false});
  bench.handler.large_bytes = 5000;
  const int id = bench.client.get("/large");
  bench.exchange();
  EXPECT_EQ(bench.answer(id).body.size(), 10u);
  EXPECT_EQ(bench.session->waiting_bytes(), 4990u);
  for (int i = 0; i < 50; ++i) {
    const std::uint64_t said = bench.session->said_bytes();
    bench.client.open_window(id, 100);
    bench.exchange();
    EXPECT_GT(bench.session->said_bytes(), said);
  }
  EXPECT_EQ(bench.answer(id).body, std::string(5000, 'x'));
  EXPECT_TRUE(bench.answer(id).closed);
}

TEST(Http2Windows, APeerThatNeverOpensThemIsRefusedFurtherStreams) {
  Http2Bench bench({}, {.stream_window = 0, .opens_windows = false});
  bench.handler.large_bytes = 100'000;
  for (int i = 0; i < 60; ++i) {
    bench.client.get("/large");
    bench.exchange();
  }
  EXPECT_LE(bench.session->held_bytes(), kMiB + 200'000);
  int answered = 0;
  int refused = 0;
  for (const auto& [id, answer] : bench.client.answers) {
    answered += answer.status == 200 ? 1 : 0;
    refused += answer.error == NGHTTP2_REFUSED_STREAM ? 1 : 0;
  }
  EXPECT_EQ(answered, 12);
  EXPECT_EQ(refused, 48);
  const int id = 1;
  bench.client.open_window(id, 100'000);
  bench.client.open_window(0, 100'000);
  bench.exchange();
  EXPECT_EQ(bench.answer(id).body.size(), 100'000u);
  const int next = bench.client.get("/after");
  bench.exchange();
  EXPECT_EQ(bench.answer(next).status, 200);
}

TEST(Http2Windows, NoMoreIsMadeAtOnceThanAWriteTakes) {
  Http2Bench bench({}, {.stream_window = 1 << 24});
  bench.client.open_window(0, 1 << 24);
  const int id = bench.client.get("/stream");
  bench.exchange();
  EXPECT_TRUE(
      bench.handler.streams.at(0)->send_shared(std::make_shared<const std::string>(4 * kMiB, 's')));
  std::string output;
  bench.session->produce(output);
  EXPECT_LE(output.size(), Session::kOutputBytesPerWrite + 20'000);
  EXPECT_GE(output.size(), Session::kOutputBytesPerWrite);
  // The peer may leave between two pieces of it.
  bench.client.reset(id);
  bench.give(bench.client.bytes());
  EXPECT_EQ(bench.session->waiting_bytes(), 0u);
  EXPECT_EQ(bench.counters.event_streams.read(), 0u);
}

// A peer that reads gets all its answers, however much they are together.
TEST(Http2Windows, ManyLargeAnswersAtOnceAreNotRefused) {
  Http2Bench bench({}, {.stream_window = 1 << 20});
  bench.client.open_window(0, 64 << 20);
  bench.handler.large_bytes = 300'000;
  for (int i = 0; i < 100; ++i) bench.client.get("/large");
  const std::string asked = bench.client.bytes();
  std::size_t most_held = 0;
  bench.handler.before_answer = [&](const Request&) {
    most_held = std::max(most_held, bench.session->held_bytes());
  };
  bench.client.give(bench.give(asked));
  bench.exchange();
  for (int id = 1; id < 200; id += 2) EXPECT_EQ(bench.answer(id).body.size(), 300'000u) << id;
  EXPECT_LE(most_held, 600'000u);
}

}  // namespace
}  // namespace flagstone::net
