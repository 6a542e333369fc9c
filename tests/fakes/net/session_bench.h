// An Http1Session without a connection: bytes are given by hand, what it says is collected.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "net/http1_session.h"
#include "tests/fakes/net/recording_handler.h"

namespace flagstone::net {

class SessionBench final : public SessionHost {
 public:
  explicit SessionBench(HttpLimits limits = {}) : resources(handler, limits, counters) {
    session = std::make_unique<Http1Session>(resources, *this, 3, ListenerKind::kLoopbackTcp);
  }

  // Offers the bytes until the session takes no more; returns what it left.
  std::string give(std::string_view bytes) {
    // In a buffer of its own with exactly the promised padding, for the sanitizer to watch.
    auto copy = std::make_unique<char[]>(bytes.size() + Request::kBodyPaddingBytes);
    std::memcpy(copy.get(), bytes.data(), bytes.size());
    std::string_view rest(copy.get(), bytes.size());
    while (!rest.empty()) {
      std::string output;
      const std::size_t used = session->consume(rest, output);
      said += output;
      rest.remove_prefix(used);
      if (used == 0) break;
    }
    return std::string(rest);
  }
  void give_byte_by_byte(std::string_view bytes) {
    for (const char byte : bytes) give({&byte, 1});
  }

  void send_later(std::string_view bytes) override { said += bytes; }
  std::size_t unsent_bytes() const override { return unsent; }
  void resume_later() override { ++resumes; }
  void produce_later() override { ++productions; }
  bool peer_is_local() const override { return true; }

  // Statuses of the answers in `said`, as "200 400".
  std::string statuses() const {
    std::string found;
    for (std::size_t at = said.find("HTTP/1.1 "); at != std::string::npos;
         at = said.find("HTTP/1.1 ", at + 1)) {
      if (!found.empty()) found += ' ';
      found += said.substr(at + 9, 3);
    }
    return found;
  }

  ServerCounters counters;
  RecordingHandler handler;
  SessionResources resources;
  std::string said;
  std::size_t unsent = 0;
  int resumes = 0;
  int productions = 0;
  std::unique_ptr<Http1Session> session;
};

}  // namespace flagstone::net
