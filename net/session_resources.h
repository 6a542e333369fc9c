// What all sessions of one server share, so that a connection at rest owns next to nothing.
//
// Owned by the server, the loop's thread only.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "net/handler.h"
#include "net/server.h"

namespace flagstone::net {

// The text of one request while it is read. Fields are kept as offsets, since the text moves as it
// grows.
struct RequestStore {
  struct Field {
    std::uint32_t name_begin = 0;
    std::uint32_t name_end = 0;
    std::uint32_t value_end = 0;  // the value begins where the name ends
  };
  std::string text;  // target, then names and values
  std::string body;  // only of bodies that came in pieces
  std::vector<Field> fields;
  std::vector<HeaderField> views;  // of `fields`, once the text stands still

  std::size_t bytes() const {
    return text.capacity() + body.capacity() + fields.capacity() * sizeof(Field) +
           views.capacity() * sizeof(HeaderField);
  }
};

class SessionResources {
 public:
  static constexpr std::size_t kStoresKeptMax = 16;
  static constexpr std::size_t kStoreBytesKeptMax = 64 * 1024;
  static constexpr std::size_t kAnswerBytesKeptMax = 1024 * 1024;

  SessionResources(Handler& request_handler, const HttpLimits& http_limits, ServerCounters& counts)
      : handler(request_handler), limits(http_limits), counters(counts) {
    set_date(0);
  }

  // A store is borrowed from a request's first byte to its answer; warm ones are given out again.
  std::unique_ptr<RequestStore> take_store();
  void give_back(std::unique_ptr<RequestStore> store);

  void set_date(std::int64_t unix_seconds);
  std::string_view date_line() const { return date_line_; }  // with its line break
  // After an answer: an unusually large one does not keep its memory.
  void trim_answer() {
    if (answer.capacity() > kAnswerBytesKeptMax) std::string().swap(answer);
  }

  Handler& handler;
  const HttpLimits limits;
  ServerCounters& counters;
  std::int64_t now_ms = 0;  // the loop's time, kept current by the connections
  std::string answer;       // Response::body() of the request being handled
  std::string plaintext;    // what a session inside TLS is saying just now
  // By listener: with what its connections speak TLS. None: they do not.
  std::array<std::shared_ptr<const TlsCredentials>, ServerCounters::kListenersMax> tls;

 private:
  std::vector<std::unique_ptr<RequestStore>> free_;
  std::string date_line_;
};

}  // namespace flagstone::net
