#include "net/server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <future>
#include <optional>
#include <thread>

#include "net/listener.h"
#include "net/loop.h"
#include "tests/fakes/net/recording_handler.h"
#include "tests/fakes/net/test_client.h"

namespace flagstone::net {
namespace {

std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) +
         "\r\n";
}

// A server on a loop in a thread of its own; the test is its client.
class ServerTest : public ::testing::Test {
 protected:
  template <typename Work>
  auto on_loop(Work work) {
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto result = task.get_future();
    EXPECT_TRUE(loop_->post(std::move(task)));
    return result.get();
  }
  void SetUp() override { socket_.emplace(*BoundSocket::bind(*Address::parse("127.0.0.1:0"))); }
  void TearDown() override {
    if (!thread_.joinable()) return;
    on_loop([&] { server_.reset(); });
    loop_->stop();
    thread_.join();
    loop_.reset();
  }
  void start(ServerOptions options = {}) {
    loop_.emplace();
    server_.emplace(*loop_, handler_, options);
    ASSERT_TRUE(server_->listen(*socket_, 7));
    thread_ = std::thread([this] { loop_->run(); });
  }
  // Waits for the loop's turn in which the condition holds.
  void wait_until(const std::function<bool()>& condition) {
    while (!on_loop(condition)) std::this_thread::yield();
  }
  std::uint64_t open() { return server_->counters().open.read(); }
  TestClient client(int receive_bytes = 0) { return TestClient(socket_->address(), receive_bytes); }

  RecordingHandler handler_;
  std::optional<BoundSocket> socket_;
  std::optional<Loop> loop_;
  std::optional<Server> server_;
  std::thread thread_;
};

TEST_F(ServerTest, AnswersOnAKeptConnection) {
  start();
  TestClient one = client();
  EXPECT_TRUE(one.ask(get("/1"), "GET /1").starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(one.ask(get("/2"), "GET /2").starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(server_->counters().accepted.read(), 1u);
  EXPECT_EQ(server_->counters().requests.read(), 2u);
  EXPECT_EQ(server_->counters().open_by_listener[7].read(), 1u);
  EXPECT_EQ(on_loop([&] { return handler_.seen.at(0).listener_index; }), 7u);
  EXPECT_EQ(on_loop([&] { return handler_.seen.at(0).kind; }), ListenerKind::kLoopbackTcp);
}

TEST_F(ServerTest, AnswersPipelinedRequestsAndAHalfClosedPeer) {
  start();
  TestClient one = client();
  std::string requests;
  for (int i = 0; i < 500; ++i) requests += get("/" + std::to_string(i) + ".");
  ASSERT_TRUE(one.write(requests));
  one.end_writing();
  const std::string answers = one.read_to_end();
  std::size_t at = 0;
  for (int i = 0; i < 500; ++i) {
    at = answers.find("GET /" + std::to_string(i) + ".", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

TEST_F(ServerTest, ASlowReaderGetsEverythingAndStopsNobody) {
  start();
  handler_.large_bytes = 3'000'000;
  TestClient slow = client(4096);
  ASSERT_TRUE(slow.write(get("/large") + get("/large") + get("/last", "Connection: close\r\n")));
  wait_until([&] { return server_->counters().bytes_buffered.read() > 1'000'000; });
  EXPECT_LT(server_->counters().bytes_buffered.read(), 8'000'000u);
  TestClient other = client();
  EXPECT_NE(other.ask(get("/other"), "GET /other").find("200 OK"), std::string::npos);
  const std::string all = slow.read_to_end();
  constexpr int kOfContentTypes = 3;  // text/plain contains one, too
  EXPECT_EQ(std::ranges::count(all, 'x'), 6'000'000 + kOfContentTypes);
  EXPECT_TRUE(all.ends_with("GET /last"));
  // The connection's memory goes at the end of the turn in which it closed.
  wait_until([&] { return open() == 1 && server_->counters().bytes_buffered.read() == 0; });
}

TEST_F(ServerTest, CutsAReaderThatTakesNothing) {
  ServerOptions options;
  options.connection.write_stall_limit_ms = 50;
  options.connection.tick_ms = 10;
  start(options);
  handler_.large_bytes = 20'000'000;
  TestClient slow = client(4096);
  ASSERT_TRUE(slow.write(get("/large")));
  wait_until([&] { return server_->counters().timeouts.read() == 1; });
  EXPECT_EQ(open(), 0u);
}

TEST_F(ServerTest, CutsASlowHeaderAndASlowBodyButNotAnIdlePeer) {
  ServerOptions options;
  options.connection.header_limit_ms = 30;
  options.connection.body_limit_ms = 30;
  options.connection.tick_ms = 10;
  start(options);
  TestClient idle = client();
  TestClient header = client();
  TestClient body = client();
  ASSERT_TRUE(header.write("GET / HT"));
  ASSERT_TRUE(body.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"));
  EXPECT_EQ(header.read_to_end(), "");
  EXPECT_EQ(body.read_to_end(), "");
  EXPECT_EQ(server_->counters().timeouts.read(), 2u);
  EXPECT_NE(idle.ask(get("/alive"), "GET /alive").find("200"), std::string::npos);
  EXPECT_EQ(server_->counters().requests.read(), 1u);
}

TEST_F(ServerTest, ClosesIdlePeersWithoutCallingItATimeout) {
  ServerOptions options;
  options.connection.idle_limit_ms = 30;
  options.connection.tick_ms = 10;
  start(options);
  TestClient silent = client();
  TestClient once = client();
  EXPECT_NE(once.ask(get("/"), "GET /").find("200"), std::string::npos);
  EXPECT_EQ(silent.read_to_end(), "");
  once.read_to_end();
  EXPECT_EQ(server_->counters().timeouts.read(), 0u);
}

TEST_F(ServerTest, APeerCanReadTheRefusalWhileItStillSends) {
  start();
  TestClient one = client();
  ASSERT_TRUE(one.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n"));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(one.write(std::string(100'000, 'b'))) << i;
  EXPECT_TRUE(one.read_to_end().starts_with("HTTP/1.1 413 "));
  one.close();
  wait_until([&] { return open() == 0; });
  EXPECT_EQ(server_->counters().refusals.read(), 1u);
  EXPECT_EQ(server_->counters().requests.read(), 0u);
}

TEST_F(ServerTest, TurnsConnectionsBeyondTheMaximumAway) {
  ServerOptions options;
  options.connections_max = 2;
  start(options);
  TestClient a = client(), b = client();
  EXPECT_NE(a.ask(get("/a"), "GET /a").find("200"), std::string::npos);
  EXPECT_NE(b.ask(get("/b"), "GET /b").find("200"), std::string::npos);
  TestClient c = client();
  EXPECT_EQ(c.read_to_end(), "");
  wait_until([&] { return server_->counters().refused.read() == 1; });
  a.close();
  wait_until([&] { return open() == 1; });
  TestClient d = client();
  EXPECT_NE(d.ask(get("/d"), "GET /d").find("200"), std::string::npos);
}

TEST_F(ServerTest, AHandlerMayCloseEverythingUnderItself) {
  start();
  handler_.before_answer = [&](const Request& request) {
    if (request.path == "/die") server_->close_all();
  };
  TestClient one = client(), two = client();
  EXPECT_NE(two.ask(get("/"), "GET /").find("200"), std::string::npos);
  ASSERT_TRUE(one.write(get("/die") + get("/next")));
  EXPECT_EQ(one.read_to_end(), "");
  two.received.clear();
  EXPECT_EQ(two.read_to_end(), "");
  wait_until([&] { return open() == 0; });
}

// ---- event streams ----

TEST_F(ServerTest, AnEventStreamReachesThePeerAndTheNextRequestFollows) {
  start();
  TestClient one = client();
  ASSERT_TRUE(one.write(get("/stream") + get("/after")));
  ASSERT_TRUE(one.read_until("data: hello\n\n"));
  EXPECT_TRUE(on_loop([&] { return handler_.streams.at(0)->send("data: 2\n\n"); }));
  ASSERT_TRUE(one.read_until("data: 2\n\n"));
  EXPECT_EQ(one.received.find("GET /after"), std::string::npos);
  on_loop([&] { handler_.streams.clear(); });
  ASSERT_TRUE(one.read_until("0\r\n\r\nHTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(one.read_until("GET /after"));
}

TEST_F(ServerTest, AStreamLearnsThatItsPeerIsGone) {
  start();
  std::promise<void> closed;
  TestClient one = client();
  ASSERT_TRUE(one.write(get("/stream")));
  ASSERT_TRUE(one.read_until("hello"));
  on_loop([&] {
    handler_.streams[0]->set_on_closed([&] {
      handler_.streams.clear();
      closed.set_value();
    });
  });
  one.close();
  closed.get_future().get();
  wait_until([&] { return open() == 0; });
  EXPECT_EQ(server_->counters().event_streams.read(), 0u);
}

TEST_F(ServerTest, AStreamRefusesWhenItsReaderIsSlowAndResumes) {
  start();
  TestClient one = client(4096);
  ASSERT_TRUE(one.write(get("/stream")));
  ASSERT_TRUE(one.read_until("hello"));
  std::promise<void> drained;
  const int sent = on_loop([&] {
    EventStream& stream = *handler_.streams[0];
    stream.set_on_drained([&] {
      EXPECT_TRUE(handler_.streams[0]->send("data: latest\n\n"));
      drained.set_value();
    });
    int taken = 0;
    while (stream.send(std::string(10'000, 'e'))) ++taken;
    return taken;
  });
  EXPECT_GT(sent, 0);
  EXPECT_LE(sent, 26) << "bounded by kUnsentBytesMax within one turn";
  ASSERT_TRUE(one.read_until("data: latest\n\n"));
  drained.get_future().get();
}

TEST_F(ServerTest, CutsAPeerThatFloodsABusyConnection) {
  start();
  TestClient one = client();
  ASSERT_TRUE(one.write(get("/stream")));
  ASSERT_TRUE(one.read_until("hello"));
  one.write(std::string(2 * 1024 * 1024, 'f'));
  wait_until([&] { return open() == 0; });
  EXPECT_FALSE(on_loop([&] { return handler_.streams[0]->open(); }));
}

// ---- stopping ----

TEST_F(ServerTest, DrainAnswersWhatIsInFlightAndEndsStreamsLast) {
  start();
  TestClient idle = client(), half = client(), stream = client();
  ASSERT_NE(idle.ask(get("/idle"), "GET /idle").find("200"), std::string::npos);
  ASSERT_TRUE(half.write("GET /half HTTP/1.1\r\nHo"));
  ASSERT_TRUE(stream.write(get("/stream")));
  ASSERT_TRUE(stream.read_until("hello"));
  wait_until([&] { return server_->counters().accepted.read() == 3; });
  std::promise<void> drained;
  TestClient waiting = client();  // in the kernel's queue, or accepted already
  on_loop([&] {
    server_->stop_accepting();
    socket_.reset();
    server_->drain([&] { drained.set_value(); });
  });
  EXPECT_TRUE(on_loop([&] { return handler_.streams[0]->open(); }));
  ASSERT_TRUE(waiting.write(get("/waiting")));
  EXPECT_NE(waiting.read_to_end().find("Connection: close"), std::string::npos);
  // A request that comes on an idle connection right after the drain began is answered, too.
  const std::string last = idle.ask(get("/late"), "GET /late");
  EXPECT_NE(last.find("Connection: close"), std::string::npos);
  ASSERT_TRUE(half.write("st: a\r\n\r\n"));
  EXPECT_NE(half.read_to_end().find("Connection: close"), std::string::npos);
  idle.close(), half.close(), waiting.close();
  EXPECT_TRUE(stream.read_to_end().ends_with("0\r\n\r\n"));
  stream.close();
  drained.get_future().get();
  EXPECT_EQ(open(), 0u);
}

TEST_F(ServerTest, DrainOfAnEmptyServerIsDoneAtOnceAndTheServerMayGo) {
  start();
  std::promise<void> gone;
  on_loop([&] {
    server_->stop_accepting();
    server_->drain([&] {
      server_.reset();
      gone.set_value();
    });
  });
  gone.get_future().get();
}

TEST_F(ServerTest, MayBeDestroyedWithEverythingOpen) {
  start();
  handler_.large_bytes = 20'000'000;
  TestClient stream = client(), slow = client(4096), half = client();
  ASSERT_TRUE(stream.write(get("/stream")));
  ASSERT_TRUE(stream.read_until("hello"));
  ASSERT_TRUE(slow.write(get("/large")));
  ASSERT_TRUE(half.write("GET /"));
  wait_until([&] { return handler_.seen.size() == 2 && open() == 3; });
  on_loop([&] { server_.reset(); });
  EXPECT_FALSE(on_loop([&] { return handler_.streams.at(0)->open(); }));
}

}  // namespace
}  // namespace flagstone::net
