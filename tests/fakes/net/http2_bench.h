// An Http2Session without a connection, and a client to talk with.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "net/http2_session.h"
#include "tests/fakes/net/http2_client.h"
#include "tests/fakes/net/recording_handler.h"

namespace flagstone::net {

class Http2Bench final : public SessionHost {
 public:
  explicit Http2Bench(HttpLimits limits = {}, Http2ClientOptions options = {})
      : resources(handler, limits, counters), client(options) {
    session = std::make_unique<Http2Session>(resources, *this, 3, ListenerKind::kLoopbackTcp);
  }

  // What the session says to the bytes.
  std::string give(std::string_view bytes) {
    // In a buffer of its own with exactly the promised padding, for the sanitizer to watch.
    auto copy = std::make_unique<char[]>(bytes.size() + Request::kBodyPaddingBytes);
    std::memcpy(copy.get(), bytes.data(), bytes.size());
    std::string_view rest(copy.get(), bytes.size());
    std::string said;
    while (!rest.empty() && session->takes_bytes()) {
      std::string output;
      rest.remove_prefix(session->consume(rest, output));
      said += output;
    }
    return said + pull();
  }
  std::string pull() {
    std::string said;
    for (;;) {
      std::string output;
      session->produce(output);
      if (output.empty()) return said;
      said += output;
    }
  }
  // Until neither side has anything to say.
  void exchange() {
    std::string said = pull();
    for (;;) {
      EXPECT_TRUE(client.give(said));
      const std::string asked = client.bytes();
      if (asked.empty() && said.empty()) return;
      said = give(asked);
    }
  }
  const Http2Client::Answer& answer(std::int32_t id) { return client.answers[id]; }

  void send_later(std::string_view) override { ADD_FAILURE() << "HTTP/2 makes output on demand"; }
  std::size_t unsent_bytes() const override { return 0; }
  void resume_later() override { ++resumes; }
  void produce_later() override { ++productions; }
  bool peer_is_local() const override { return true; }

  ServerCounters counters;
  RecordingHandler handler;
  SessionResources resources;
  int resumes = 0;
  int productions = 0;
  Http2Client client;
  std::unique_ptr<Http2Session> session;
};

}  // namespace flagstone::net
