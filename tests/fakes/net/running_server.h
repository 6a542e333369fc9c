// A server on a loop in a thread of its own; the test is its client.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <optional>
#include <thread>

#include "net/listener.h"
#include "net/loop.h"
#include "net/server.h"
#include "tests/fakes/net/http2_client.h"
#include "tests/fakes/net/recording_handler.h"
#include "tests/fakes/net/test_client.h"

namespace flagstone::net {

class RunningServer {
 public:
  explicit RunningServer(ServerOptions options = {}, std::string_view address = "127.0.0.1:0")
      : socket_(*BoundSocket::bind(*Address::parse(address))) {
    loop_.emplace();
    server_.emplace(*loop_, handler, options);
    EXPECT_TRUE(server_->listen(socket_, 7));
    thread_ = std::thread([this] { loop_->run(); });
  }
  template <typename Work>
  auto on_loop(Work work) {
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto result = task.get_future();
    EXPECT_TRUE(loop_->post(std::move(task)));
    return result.get();
  }
  ~RunningServer() {
    on_loop([&] { server_.reset(); });
    loop_->stop();
    thread_.join();
  }
  // Waits for the loop's turn in which the condition holds.
  void wait_until(const std::function<bool()>& condition) {
    while (!on_loop(condition)) std::this_thread::yield();
  }
  const ServerCounters& counters() const { return server_->counters(); }
  Server& server() { return *server_; }
  TestClient client(int receive_bytes = 0) { return TestClient(socket_.address(), receive_bytes); }

  RecordingHandler handler;

 private:
  BoundSocket socket_;
  std::optional<Loop> loop_;
  std::optional<Server> server_;
  std::thread thread_;
};

// An HTTP/2 client on a socket.
class Http2Connection {
 public:
  explicit Http2Connection(RunningServer& server, Http2ClientOptions options = {})
      : client(options), socket(server.client()) {}

  bool send() { return socket.write(client.bytes()); }
  // Talks until the condition holds; false when the connection ended before.
  bool talk_until(const std::function<bool()>& condition) {
    for (;;) {
      if (!send()) return false;
      if (condition()) return true;
      socket.received.clear();
      if (!socket.read_more()) return false;
      client.give(socket.received);
    }
  }
  bool answered(std::int32_t id) {
    return talk_until([&] { return client.answers[id].closed; });
  }
  // Reads on without answering.
  bool ends() {
    socket.received.clear();
    while (socket.read_more()) {
      client.give(socket.received);
      socket.received.clear();
    }
    return true;
  }

  Http2Client client;
  TestClient socket;
};

}  // namespace flagstone::net
