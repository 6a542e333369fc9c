// One request to one place and its answer: a curl easy handle with our limits around it.
//
// Inside upstream's HTTP client only. Owned by an exchange, given back through
// HttpEngine::retire(). After detach() it calls nobody.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/timer.h"
#include "upstream/http_client.h"
#include "upstream/http_proxies.h"
#include "upstream/http_url.h"

struct curl_slist;

namespace flagstone::upstream {

class HttpEngine;

struct HttpHopRequest {
  HttpUrl url;
  std::string unix_socket;
  std::vector<HttpHeader> headers;
  HttpLimits limits;
  std::optional<HttpProxy> proxy;
  // Of the host to connect to (the proxy's, if there is one); empty for Unix sockets.
  std::vector<std::string> addresses;

  // As in HttpRequest.
  std::optional<std::string> body = {};
  bool http2 = false;
  std::string ca_file = {};
  std::string client_certificate_file = {};
  std::string client_key_file = {};
  std::chrono::milliseconds keep_alive{0};
  std::chrono::milliseconds unacknowledged{0};
};

class HttpHop {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual bool on_hop_head(const HttpHead& head) = 0;
    virtual bool on_hop_body(std::string_view piece) = 0;
    virtual void on_hop_trailers(const std::vector<HttpHeader>& trailers) = 0;
    virtual void on_hop_end(std::optional<HttpError> error) = 0;
  };

  HttpHop(HttpEngine& engine, HttpHopRequest request, Listener& listener);
  ~HttpHop();
  HttpHop(const HttpHop&) = delete;
  HttpHop& operator=(const HttpHop&) = delete;

  void start();
  void detach();
  void set_paused(bool paused);
  void* handle() { return easy_; }
  // From the engine: curl is done, `code` is a CURLcode.
  void finished(int code);

 private:
  friend struct HopCallbacks;
  enum class Phase : std::uint8_t { kConnecting, kWaiting, kReceiving, kEnded };

  void set_options();
  void set_version();
  void set_body();
  void set_route();
  void set_tls();
  void set_client_certificate();
  void set_headers();
  void set_patience();
  void on_socket(int socket) const;
  void on_sending();
  bool on_header_line(std::string_view line);
  bool on_status_line(std::string_view line);
  bool on_head_complete();
  bool on_body(std::string_view piece);
  void on_timer();
  std::optional<HttpError> overdue(std::int64_t now_ms) const;
  // kNever when nothing limits the phase.
  std::int64_t next_deadline_ms() const;
  void watch_deadline();
  void resume();
  bool abort(FailureKind kind, std::string message);
  HttpError error_of(int code) const;
  void end(std::optional<HttpError> error);

  HttpEngine& engine_;
  HttpHopRequest request_;
  Listener* listener_;
  void* easy_;  // CURL
  curl_slist* header_list_ = nullptr;
  curl_slist* addresses_ = nullptr;
  std::array<char, 256> curl_message_{};  // CURL_ERROR_SIZE
  net::Timer timer_;
  net::Timer resume_;
  Phase phase_ = Phase::kConnecting;
  std::int64_t started_ms_ = 0;
  std::int64_t last_ms_ = 0;  // The phase's begin or the last byte.
  HttpHead head_;
  bool head_complete_ = false;
  std::vector<HttpHeader> trailers_;
  bool paused_ = false;
  std::optional<std::int64_t> paused_since_ms_;  // Until it goes on; limits do not run meanwhile.
  std::size_t header_bytes_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::optional<HttpError> aborted_;  // Why we told curl to stop.
  bool unwanted_ = false;             // The listener told us to.
};

}  // namespace flagstone::upstream
