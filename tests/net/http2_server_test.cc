// HTTP/2 over real sockets: what the connection does for its session.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "net/http2_memory.h"
#include "tests/fakes/net/running_server.h"

namespace flagstone::net {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;

ServerOptions quick() {
  ServerOptions options;
  options.connection.tick_ms = 10;
  options.connection.drain_idle_limit_ms = 50;
  return options;
}

TEST(Http2Server, AnswersManyRequestsOnOneConnection) {
  RunningServer server;
  Http2Connection connection(server);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 50; ++i) connection.client.post("/", std::string(1000, 'x'));
    ASSERT_TRUE(connection.answered(100 * round + 99));
  }
  EXPECT_EQ(server.counters().requests.read(), 250u);
  EXPECT_EQ(server.counters().accepted.read(), 1u);
  EXPECT_EQ(server.counters().session_bytes.read(), Http2MemoryAccount::kResidentBytes);
  EXPECT_EQ(connection.client.answers[499].body.size(), 1000u);
}

TEST(Http2Server, ThePrefaceMayComeByteByByte) {
  RunningServer server;
  Http2Connection connection(server);
  const int id = connection.client.get("/slow");
  for (const char byte : connection.client.bytes()) {
    ASSERT_TRUE(connection.socket.write({&byte, 1}));
    // So that each byte is a read of its own.
    server.on_loop([] {});
  }
  ASSERT_TRUE(connection.answered(id));
  EXPECT_EQ(connection.client.answers[id].body, "GET /slow");
}

TEST(Http2Server, AnOfferToUpgradeIsAnsweredOverHttp1) {
  RunningServer server;
  TestClient one = server.client();
  const std::string answer = one.ask(
      "GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n"
      "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
      "GET /a");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(one.ask("GET /b HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /b")
                  .starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST(Http2Server, LargeAnswersGoThroughSmallWindows) {
  RunningServer server;
  server.handler.large_bytes = 3 * kMiB;
  Http2Connection connection(server, {.stream_window = 20'000});
  const int one = connection.client.get("/large");
  const int two = connection.client.get("/large");
  ASSERT_TRUE(connection.answered(one));
  ASSERT_TRUE(connection.answered(two));
  EXPECT_EQ(connection.client.answers[one].body.size(), 3 * kMiB);
  EXPECT_EQ(connection.client.answers[two].body.size(), 3 * kMiB);
}

TEST(Http2Server, UnaryRequestsGoOnBesideEventStreams) {
  RunningServer server;
  Http2Connection connection(server);
  const int stream = connection.client.get("/stream");
  ASSERT_TRUE(
      connection.talk_until([&] { return connection.client.answers[stream].body.size() > 0; }));
  const int id = connection.client.post("/", "beside");
  ASSERT_TRUE(connection.answered(id));
  server.on_loop([&] { EXPECT_TRUE(server.handler.streams.at(0)->send("later")); });
  EXPECT_TRUE(connection.talk_until(
      [&] { return connection.client.answers[stream].body.ends_with("later"); }));
  server.on_loop([&] { server.handler.streams.clear(); });
  EXPECT_TRUE(connection.answered(stream));
}

TEST(Http2Server, SharedBytesAreHeldOnceForSlowReaders) {
  RunningServer server;
  constexpr int kStreams = 50;
  Http2Connection connection(server, {.stream_window = 1 << 24, .opens_windows = false});
  connection.client.open_window(0, 1 << 30);
  for (int i = 0; i < kStreams; ++i) connection.client.get("/stream");
  ASSERT_TRUE(connection.talk_until(
      [&] { return !connection.client.answers[2 * kStreams - 1].body.empty(); }));
  const auto snapshot = std::make_shared<const std::string>(2 * kMiB, 's');
  server.on_loop([&] {
    for (const auto& stream : server.handler.streams) EXPECT_TRUE(stream->send_shared(snapshot));
  });
  // The peer reads nothing: what its socket does not take stays where it is.
  EXPECT_LE(server.on_loop([&] { return server.counters().bytes_buffered.read(); }), 2 * kMiB);
  for (int id = 1; id < 2 * kStreams; id += 2) {
    ASSERT_TRUE(connection.talk_until(
        [&] { return connection.client.answers[id].body.size() > 2 * kMiB; }));
  }
  EXPECT_EQ(server.on_loop([&] { return snapshot.use_count(); }), 1);
}

TEST(Http2Server, Http1SharesBytesToo) {
  RunningServer server;
  TestClient reader = server.client();
  ASSERT_TRUE(reader.write("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  ASSERT_TRUE(reader.read_until("hello"));
  const auto snapshot = std::make_shared<const std::string>(30 * kMiB, 's');
  server.on_loop([&] {
    EventStream& stream = *server.handler.streams.at(0);
    EXPECT_TRUE(stream.send_shared(snapshot));
    EXPECT_FALSE(stream.send("while it waits"));
    stream.close();
  });
  EXPECT_LE(server.on_loop([&] { return server.counters().bytes_buffered.read(); }), kMiB);
  ASSERT_TRUE(reader.read_until("\r\n0\r\n\r\n"));
  const std::string_view said = reader.received;
  EXPECT_EQ(std::ranges::count(said.substr(said.find("hello")), 's'),
            static_cast<long>(snapshot->size()));
  EXPECT_TRUE(
      reader.ask("GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /next").starts_with("HTTP"));
}

TEST(Http2Server, APeerThatKeepsItsWindowShutIsCut) {
  ServerOptions options = quick();
  options.connection.write_stall_limit_ms = 100;
  RunningServer server(options);
  Http2Connection connection(server, {.stream_window = 0, .opens_windows = false});
  connection.client.get("/waits");
  ASSERT_TRUE(connection.send());
  EXPECT_TRUE(connection.ends());
  server.wait_until([&] { return server.counters().open.read() == 0; });
  EXPECT_EQ(server.counters().timeouts.read(), 1u);
  EXPECT_EQ(server.counters().bytes_buffered.read(), 0u);
  EXPECT_EQ(server.counters().session_bytes.read(), 0u);
}

TEST(Http2Server, HeadersAndBodiesHaveTheirTime) {
  ServerOptions options = quick();
  options.connection.header_limit_ms = 100;
  options.connection.body_limit_ms = 100;
  const std::string request = http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1,
                                          std::string("\x83\x86\x84\x01\x09", 5) + "localhost");
  const std::string half_a_header = http2_frame(NGHTTP2_HEADERS, 0, 1, "\x83\x86");
  const std::string pieces[] = {"P",
                                "PR",
                                "PRI * HTTP/2.0",
                                http2_begin() + half_a_header,
                                http2_begin() + request,
                                http2_begin() + request + http2_frame(NGHTTP2_DATA, 0, 1, "half")};
  RunningServer server(options);
  std::uint64_t timeouts = 0;
  for (const std::string& piece : pieces) {
    TestClient slow = server.client();
    ASSERT_TRUE(slow.write(piece));
    slow.read_to_end();
    server.wait_until([&] { return server.counters().open.read() == 0; });
    EXPECT_EQ(server.counters().timeouts.read(), ++timeouts) << piece.size();
  }
}

TEST(Http2Server, AnIdlePeerIsToldBeforeTheClose) {
  ServerOptions options = quick();
  options.connection.idle_limit_ms = 100;
  RunningServer server(options);
  Http2Connection connection(server);
  ASSERT_TRUE(connection.answered(connection.client.get("/")));
  ASSERT_TRUE(connection.talk_until([&] { return connection.client.goaways > 0; }));
  EXPECT_EQ(connection.client.goaway_error, NGHTTP2_NO_ERROR);
  EXPECT_TRUE(connection.ends());
  EXPECT_EQ(server.counters().timeouts.read(), 0u);
}

TEST(Http2Server, DrainFinishesWhatIsOpenAndEndsStreamsLast) {
  RunningServer server(quick());
  Http2Connection streaming(server);
  const int stream = streaming.client.get("/stream");
  ASSERT_TRUE(streaming.talk_until([&] { return !streaming.client.answers[stream].body.empty(); }));
  Http2Connection idle(server);
  ASSERT_TRUE(idle.answered(idle.client.get("/")));
  bool drained = false;
  server.on_loop([&] {
    server.server().stop_accepting();
    server.server().drain([&] { drained = true; });
  });
  ASSERT_TRUE(idle.talk_until([&] { return idle.client.goaways > 0; }));
  EXPECT_EQ(idle.client.goaway_last_id, INT32_MAX);
  // It may have sent this before it heard of the drain.
  ASSERT_TRUE(streaming.answered(stream));
  EXPECT_EQ(streaming.client.answers[stream].error, 0u);
  EXPECT_TRUE(idle.ends());
  EXPECT_TRUE(streaming.ends());
  idle.socket.close();
  streaming.socket.close();
  server.wait_until([&] { return drained; });
}

TEST(Http2Server, AFloodIsEndedAtOnce) {
  RunningServer server;
  TestClient flooder = server.client();
  ASSERT_TRUE(flooder.write(http2_begin()));
  const std::string ping = http2_frame(NGHTTP2_PING, 0, 0, "12345678");
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += ping;
  std::size_t sent = 0;
  while (flooder.write(pings)) ASSERT_LE(sent += pings.size(), 64 * kMiB);
  server.wait_until([&] { return server.counters().open.read() == 0; });
  EXPECT_EQ(server.counters().floods.read(), 1u);
  EXPECT_EQ(server.counters().bytes_buffered.read(), 0u);
}

TEST(Http2Server, TheRequestSaysThatItsPeerIsThisMachine) {
  RunningServer server({}, "0.0.0.0:0");
  int local = 0;
  server.handler.before_answer = [&](const Request& request) {
    EXPECT_EQ(request.listener_kind, ListenerKind::kOtherTcp);
    local += request.peer_is_local ? 1 : 0;
  };
  TestClient one = server.client();
  one.ask("GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /1");
  Http2Connection two(server);
  EXPECT_TRUE(two.answered(two.client.get("/2")));
  EXPECT_EQ(local, 2);
}

}  // namespace
}  // namespace flagstone::net
