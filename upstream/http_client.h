// HTTP requests upstream: libcurl's multi interface on the keeper's loop.
//
// The client belongs to the daemon, is used on the loop's thread only and outlives its exchanges.
// It never blocks: names are resolved by net/resolver and handed over. TLS is at least 1.2 and
// always verified; SSL_CERT_FILE and SSL_CERT_DIR name other roots; http_proxy, https_proxy,
// all_proxy and no_proxy are honoured. One exchange follows redirects itself, so that each hop is
// resolved, limited and given only the headers it may see. The process must ignore SIGPIPE.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "upstream/source.h"

namespace flagstone::net {
class Loop;
class Resolver;
}  // namespace flagstone::net

namespace flagstone::upstream {

class HttpEngine;

struct HttpLimits {
  std::chrono::milliseconds connect{5'000};      // TCP and TLS.
  std::chrono::milliseconds first_byte{10'000};  // From the request's sending to the answer.
  std::chrono::milliseconds idle{15'000};        // Without any byte; zero: for ever.
  // From the start of a hop to its last byte; zero: for ever (streams, bounded by `idle`).
  std::chrono::milliseconds whole{30'000};
  std::uint64_t body_bytes = 64 * 1024 * 1024;  // Compressed or not; zero: the receiver counts.
  std::size_t header_bytes = 64 * 1024;         // All headers of one answer.
  int redirects = 3;
};

struct HttpHeader {
  std::string name;
  std::string value;
  // Not sent to another host than the first after a redirect.
  bool secret = false;
};

struct HttpRequest {
  std::string url;          // http: or https:; user info becomes basic authentication.
  std::string unix_socket;  // Connect here instead of to the URL's host.
  std::vector<HttpHeader> headers;
  HttpLimits limits;

  // A POST when there is one. Redirects are then not followed.
  std::optional<std::string> body = {};
  // HTTP/2 only: by ALPN over TLS, by prior knowledge in the clear, through a tunnel where a proxy
  // is. On a connection of its own, and its content is taken as it comes, compressed or not.
  bool http2 = false;
  // Trust these roots instead of the client's; show this certificate, though not to another host
  // after a redirect. PEM files, read at each connect.
  std::string ca_file = {};
  std::string client_certificate_file = {};
  std::string client_key_file = {};
  // Go through this HTTP proxy, whatever the variables say; empty: what they say.
  std::string proxy = {};
  // Notices a dead peer on a silent connection: probes after `keep_alive`, and bytes that nobody
  // acknowledges end it after `unacknowledged`. Zero: the system's habits.
  std::chrono::milliseconds keep_alive{0};
  std::chrono::milliseconds unacknowledged{0};
};

struct HttpHead {
  int status = 0;
  std::string url;  // Of the hop that answered.
  // In the order received, names in lower case.
  std::vector<HttpHeader> headers;

  // The last header of that (lower-case) name, empty when there is none.
  std::string_view find(std::string_view name) const;
};

// Names are compared in lower case.
std::string lower_case(std::string_view text);

struct HttpError {
  FailureKind kind{};
  std::string message;  // The cause alone: "connection refused". May contain host and port.
};

// Who asked. Called on the loop, never from inside HttpClient::start().
class HttpReceiver {
 public:
  virtual ~HttpReceiver() = default;
  // The answer's head (not those of redirects). False: the body is not wanted, on_end follows with
  // what there is.
  virtual bool on_head(const HttpHead& head) = 0;
  // A piece of the decompressed body, at most 16 KiB (curl's own bound). False: no more.
  virtual bool on_body(std::string_view piece) = 0;
  // HTTP/2's or a chunked body's trailers, if there are any, before on_end. Names in lower case.
  virtual void on_trailers(const std::vector<HttpHeader>& /*trailers*/) {}
  // Last. The body is complete, or not wanted, when there is no error.
  virtual void on_end(const std::optional<HttpError>& error) = 0;
};

// One request on its way. Destroying it cancels it: no call comes after that. It may be destroyed
// from inside its own receiver's calls.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
  // Takes no bytes from the connection until told otherwise, so that what upstream sends waits
  // there and not here; at most one more piece comes, out of a call that is on the stack. Limits of
  // time do not run meanwhile. Never calls the receiver. Over HTTP/2 it does nothing: after a
  // pause curl 7.88 now and then keeps back the stream's end.
  virtual void set_paused(bool paused) = 0;
};

class HttpClient {
 public:
  struct Options {
    std::string user_agent;  // "flagstone/1.2.3"
    // Roots instead of the system's: a file, a folder; empty: SSL_CERT_FILE, SSL_CERT_DIR, system.
    std::string ca_file;
    std::string ca_folder;
    std::size_t idle_connections_max = 16;
  };

  HttpClient(net::Loop& loop, net::Resolver& resolver, Options options);
  // REQUIRES: every exchange is gone.
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // `receiver` is borrowed until on_end or until the exchange is destroyed.
  std::unique_ptr<HttpExchange> start(HttpRequest request, HttpReceiver& receiver);

 private:
  std::unique_ptr<HttpEngine> engine_;
};

}  // namespace flagstone::upstream
