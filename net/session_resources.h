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
#include "net/http1_head.h"
#include "net/http1_header_cache.h"
#include "net/http2_stream.h"
#include "net/request_store.h"
#include "net/server.h"

namespace flagstone::net {

class SessionResources {
 public:
  // Each of an HTTP/2 connection's requests holds one while it is read.
  static constexpr std::size_t kStoresKeptMax = 128;
  static constexpr std::size_t kStoreBytesKeptMax = 64 * 1024;     // of one
  static constexpr std::size_t kStoresBytesKeptMax = 1024 * 1024;  // of all
  static constexpr std::size_t kAnswerBytesKeptMax = 1024 * 1024;

  SessionResources(Handler& request_handler, const HttpLimits& http_limits, ServerCounters& counts)
      : handler(request_handler), limits(http_limits), counters(counts) {
    set_date(0);
  }

  // A store is borrowed from a request's first byte to its answer; warm ones are given out again.
  std::unique_ptr<RequestStore> take_store();
  void give_back(std::unique_ptr<RequestStore> store);

  void set_date(std::int64_t unix_seconds);
  std::string_view date_line() const { return head_beginning.date_line(); }
  // After an answer: an unusually large one does not keep its memory.
  void trim_answer() {
    if (answer.capacity() > kAnswerBytesKeptMax) std::string().swap(answer);
  }

  Handler& handler;
  const HttpLimits limits;
  ServerCounters& counters;
  // While memory is short, half received requests may hold less of it.
  bool short_of_memory = false;
  std::size_t buffered_bytes_max() const {
    constexpr std::size_t kShareWhenShort = 4;
    return short_of_memory ? limits.buffered_bytes_max / kShareWhenShort
                           : limits.buffered_bytes_max;
  }
  std::int64_t now_ms = 0;  // the loop's time, kept current by the connections
  Http1HeadBeginning head_beginning;
  Http1HeaderCache known_headers;
  Http2Shared http2;
  std::string answer;     // Response::body() of the request being handled
  std::string plaintext;  // what a session inside TLS is saying just now
  // By listener: with what its connections speak TLS. None: they do not.
  std::array<std::shared_ptr<const TlsCredentials>, ServerCounters::kListenersMax> tls;

 private:
  std::vector<std::unique_ptr<RequestStore>> free_;
  std::size_t free_bytes_ = 0;
};

}  // namespace flagstone::net
