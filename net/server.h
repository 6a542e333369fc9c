// Serves HTTP on one loop: several listeners, one handler, all their connections.
//
// Owned by the serving thread (and one by the keeper, for admin), destroyed before its loop and
// before its handler. The loop's thread only; `counters()` may be read from any thread.
//
// To stop: stop_accepting(), then drain(): idle connections close, requests in flight are answered
// with `Connection: close`, event streams end last; then `done` is called. close_all() cuts what is
// left.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/counter.h"
#include "net/error.h"

namespace flagstone::net {

class BoundSocket;
class Handler;
class Loop;
class TlsCredentials;

// How long a peer may take, and how much of ours it may hold. Limits are checked once per tick, so
// each may be passed by as much as one tick.
struct ConnectionLimits {
  std::int64_t header_limit_ms = 5000;        // from a request's first byte to its last header
  std::int64_t body_limit_ms = 10000;         // from there to the body's end
  std::int64_t idle_limit_ms = 75000;         // between requests
  std::int64_t write_stall_limit_ms = 10000;  // with bytes to send and none taken
  std::int64_t linger_limit_ms =
      2000;  // after a refusal, so that the peer can read it before the reset
  // While draining: an idle peer may have sent a request that we have not seen yet.
  std::int64_t drain_idle_limit_ms = 500;
  std::int64_t tick_ms = 1000;                // at most 1000, the Date is kept by it
  std::size_t unsent_bytes_max = 256 * 1024;  // above it the connection reads no further request
};

// A path, exactly, whose requests may have larger bodies than others.
struct LargerBody {
  std::string path;
  std::size_t bytes_max = 0;
};

struct HttpLimits {
  std::size_t header_bytes_max = 64 * 1024;  // request line included; beyond: 431
  std::size_t header_count_max = 100;        // beyond: 431
  std::size_t target_bytes_max = 16 * 1024;  // beyond: 414
  std::size_t body_bytes_max = 1'000'000;    // beyond: 413
  std::vector<LargerBody> larger_bodies;
  // What all connections of a server may hold together before bodies that come in pieces are
  // refused with 503. Whole requests, and answers to them, still pass.
  std::size_t buffered_bytes_max = SIZE_MAX;

  // HTTP/2. What nghttp2 has a limit for is set there, the rest is counted by the session.
  std::uint32_t streams_max = 100;  // open at once per connection, told the peer in SETTINGS
  std::uint32_t stream_window_bytes = 64 * 1024;
  std::uint32_t connection_window_bytes = 1024 * 1024;
  // Tokens: so many resets (received or caused) at once, and so many more each second; beyond, the
  // connection ends with ENHANCE_YOUR_CALM. Likewise PING, SETTINGS and other frames that cost the
  // peer nothing.
  std::uint32_t reset_burst = 200;
  std::uint32_t resets_per_second = 33;
  std::uint32_t control_frame_burst = 1000;
  std::uint32_t control_frames_per_second = 100;

  std::size_t body_bytes_max_of(std::string_view path) const {
    std::size_t most = body_bytes_max;
    for (const LargerBody& larger : larger_bodies) {
      if (larger.path == path) most = std::max(most, larger.bytes_max);
    }
    return most;
  }
};

struct ServerOptions {
  ConnectionLimits connection;
  HttpLimits http;
  std::size_t connections_max = 1024;  // of this loop; further ones are accepted and closed at once
};

struct ServerCounters {
  static constexpr std::size_t kListenersMax = 32;
  std::array<Counter, kListenersMax> open_by_listener;  // index as given to listen()
  Counter open;
  Counter accepted;
  Counter refused;         // over connections_max or without a descriptor
  Counter requests;        // that reached the handler
  Counter refusals;        // malformed or too large, answered by us
  Counter timeouts;        // connections closed by ConnectionLimits, idle ones not counted
  Counter event_streams;   // open now
  Counter floods;          // connections ended for resets, frames or new keys beyond measure
  Counter tls_failures;    // handshakes that failed
  Counter session_bytes;   // what the libraries of HTTP/2 and TLS take for connections, reckoned
  Counter bytes_buffered;  // memory held for connections: requests half read, answers not taken
};

class Server {
 public:
  Server(Loop& loop, Handler& handler, ServerOptions options = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // `listener_index` < kListenersMax is what requests from there will carry.
  std::expected<void, Error> listen(const BoundSocket& socket, unsigned listener_index);

  // This listener's connections speak TLS, those whose first byte comes from now on with these
  // credentials; the others keep theirs. Before listen(), and again whenever a file has changed.
  void set_tls(unsigned listener_index, std::shared_ptr<const TlsCredentials> credentials);

  // While memory is short, connections beyond their share of it (HttpLimits::buffered_bytes_max,
  // what the libraries take included) are accepted and closed at once.
  void set_short_of_memory(bool is_short);

  void stop_accepting();
  // After stop_accepting(). `done` runs once no connection is left, in a later turn.
  void drain(std::move_only_function<void()> done);
  void close_all();

  const ServerCounters& counters() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace flagstone::net
