#include "upstream/http_hop.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <utility>

#include "net/loop.h"
#include "upstream/curl_error.h"
#include "upstream/http_engine.h"

namespace flagstone::upstream {

// Trampolines: curl's C callbacks to named members. What they return instead of "all bytes eaten"
// makes curl end the transfer.
struct HopCallbacks {
  static std::size_t on_header(char* bytes, std::size_t, std::size_t size, void* self) {
    // One line a call, except that trailers which came during a pause come together.
    std::string_view lines(bytes, size);
    while (!lines.empty()) {
      const std::string_view line = lines.substr(0, lines.find('\n') + 1);
      if (!static_cast<HttpHop*>(self)->on_header_line(line.empty() ? lines : line)) return 0;
      lines.remove_prefix(line.empty() ? lines.size() : line.size());
    }
    return size;
  }
  static std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* self) {
    return static_cast<HttpHop*>(self)->on_body({bytes, size}) ? size : size + 1;
  }
  static int on_sending(void* self, char*, char*, int, int) {
    static_cast<HttpHop*>(self)->on_sending();
    return CURL_PREREQFUNC_OK;
  }
  static int on_socket(void* self, curl_socket_t socket, curlsocktype) {
    static_cast<const HttpHop*>(self)->on_socket(socket);
    return CURL_SOCKOPT_OK;
  }
};

namespace {

static_assert(CURL_ERROR_SIZE <= 256);

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

HttpHeader parsed_header(std::string_view line, std::size_t colon) {
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
  return {lower_case(line.substr(0, colon)), std::string(value)};
}

}  // namespace

HttpHop::HttpHop(HttpEngine& engine, HttpHopRequest request, Listener& listener)
    : engine_(engine),
      request_(std::move(request)),
      listener_(&listener),
      easy_(curl_easy_init()),
      timer_(engine.loop(), [this] { on_timer(); }),
      resume_(engine.loop(), [this] { resume(); }) {
  if (easy_ == nullptr) std::abort();  // Out of memory.
  head_.url = request_.url.url;
  set_options();
  set_version();
  set_body();
  set_route();
  set_tls();
  set_client_certificate();
  set_headers();
  set_patience();
}

HttpHop::~HttpHop() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(header_list_);
  curl_slist_free_all(addresses_);
}

void HttpHop::start() {
  started_ms_ = last_ms_ = engine_.loop().now_ms();
  if (!engine_.add(*this)) aborted_ = HttpError{FailureKind::kConnect, "curl takes no request"};
  if (aborted_) {
    timer_.start_once(0);
  } else {
    watch_deadline();
  }
}

void HttpHop::detach() {
  listener_ = nullptr;
  phase_ = Phase::kEnded;
  timer_.stop();
  resume_.stop();
}

// curl can pause only what has begun to answer; before that, on_head_complete() does it. For HTTP/2
// see http_client.h.
void HttpHop::set_paused(bool paused) {
  if (paused == paused_ || request_.http2) return;
  paused_ = paused;
  if (paused && !paused_since_ms_) paused_since_ms_ = engine_.loop().now_ms();
  if (phase_ != Phase::kReceiving || !head_complete_) {
    if (!paused) paused_since_ms_.reset();
    return;
  }
  if (paused) {
    resume_.stop();
    curl_easy_pause(easy_, CURLPAUSE_RECV);
  } else {
    resume_.start_once(0);  // curl may give us bytes from inside the call.
  }
}

void HttpHop::resume() {
  const HttpEngine::Busy busy(engine_);
  last_ms_ = engine_.loop().now_ms();
  if (paused_since_ms_) started_ms_ += last_ms_ - *std::exchange(paused_since_ms_, std::nullopt);
  watch_deadline();
  curl_easy_pause(easy_, CURLPAUSE_CONT);
}

void HttpHop::set_options() {
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy_, CURLOPT_URL, request_.url.url.c_str());
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy_, CURLOPT_USERAGENT, engine_.options().user_agent.c_str());
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(request_.limits.connect.count()));
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, curl_message_.data());
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &HopCallbacks::on_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &HopCallbacks::on_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_PREREQFUNCTION, &HopCallbacks::on_sending);
  curl_easy_setopt(easy_, CURLOPT_PREREQDATA, this);
  curl_easy_setopt(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

void HttpHop::set_version() {
  if (!request_.http2) {
    curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "");  // Whatever this curl can undo.
    return;
  }
  const bool tls = request_.url.scheme == "https";
  curl_easy_setopt(
      easy_, CURLOPT_HTTP_VERSION,
      static_cast<long>(tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE));
  // Not multiplexed: one stream that is paused would hold up the others.
  curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(easy_, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(easy_, CURLOPT_HTTPPROXYTUNNEL, 1L);
}

void HttpHop::set_body() {
  if (!request_.body) return;
  curl_easy_setopt(easy_, CURLOPT_POST, 1L);
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(request_.body->size()));
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_.body->data());  // Borrowed.
}

// How a dead peer is noticed.
void HttpHop::set_patience() {
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  if (request_.keep_alive.count() > 0) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(request_.keep_alive);
    curl_easy_setopt(easy_, CURLOPT_TCP_KEEPIDLE, static_cast<long>(seconds.count()));
    curl_easy_setopt(easy_, CURLOPT_TCP_KEEPINTVL, static_cast<long>(seconds.count()));
  }
  if (request_.unacknowledged.count() > 0) {
    curl_easy_setopt(easy_, CURLOPT_SOCKOPTFUNCTION, &HopCallbacks::on_socket);
    curl_easy_setopt(easy_, CURLOPT_SOCKOPTDATA, this);
  }
}

// A Unix socket does not have the option, and does not need it.
void HttpHop::on_socket(int socket) const {
  const auto ms = static_cast<unsigned>(request_.unacknowledged.count());
  (void)::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

// Where to connect. curl gets the addresses in its own form, `host:port:address,address`, and so
// never asks a name server itself.
void HttpHop::set_route() {
  curl_easy_setopt(easy_, CURLOPT_PROXY, request_.proxy ? request_.proxy->url.c_str() : "");
  curl_easy_setopt(easy_, CURLOPT_NOPROXY, "");
  if (!request_.unix_socket.empty()) {
    curl_easy_setopt(easy_, CURLOPT_UNIX_SOCKET_PATH, request_.unix_socket.c_str());
  }
  const std::string& host = request_.proxy ? request_.proxy->host : request_.url.host;
  const std::uint16_t port = request_.proxy ? request_.proxy->port : request_.url.port;
  // An IPv6 address in the URL needs no looking up, and has no place in that form.
  if (request_.addresses.empty() || host.find(':') != std::string::npos) return;
  std::string entry = host + ":" + std::to_string(port) + ":";
  for (const std::string& address : request_.addresses) {
    if (!entry.ends_with(':')) entry += ',';
    entry += address.find(':') == std::string::npos ? address : "[" + address + "]";
  }
  addresses_ = curl_slist_append(nullptr, entry.c_str());
  curl_easy_setopt(easy_, CURLOPT_RESOLVE, addresses_);
}

void HttpHop::set_tls() {
  curl_easy_setopt(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, 2L);
  const HttpClient::Options& options = engine_.options();
  if (!request_.ca_file.empty()) {
    curl_easy_setopt(easy_, CURLOPT_CAINFO, request_.ca_file.c_str());
    curl_easy_setopt(easy_, CURLOPT_CAPATH, nullptr);
    // curl would keep the roots for a day, and this file may be replaced.
    curl_easy_setopt(easy_, CURLOPT_CA_CACHE_TIMEOUT, 0L);
    return;
  }
  if (!options.ca_file.empty()) curl_easy_setopt(easy_, CURLOPT_CAINFO, options.ca_file.c_str());
  if (!options.ca_folder.empty()) {
    curl_easy_setopt(easy_, CURLOPT_CAPATH, options.ca_folder.c_str());
  }
}

void HttpHop::set_client_certificate() {
  if (request_.client_certificate_file.empty()) return;
  curl_easy_setopt(easy_, CURLOPT_SSLCERT, request_.client_certificate_file.c_str());
  curl_easy_setopt(easy_, CURLOPT_SSLKEY, request_.client_key_file.c_str());
}

void HttpHop::set_headers() {
  // A body is sent without asking first.
  if (request_.body) header_list_ = curl_slist_append(header_list_, "Expect:");
  for (const HttpHeader& header : request_.headers) {
    // `Name;` is how curl spells a header without value; `Name:` would remove it.
    const std::string line =
        header.value.empty() ? header.name + ";" : header.name + ": " + header.value;
    header_list_ = curl_slist_append(header_list_, line.c_str());
  }
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, header_list_);
}

void HttpHop::on_sending() {
  phase_ = Phase::kWaiting;
  last_ms_ = engine_.loop().now_ms();
  watch_deadline();
}

bool HttpHop::on_header_line(std::string_view line) {
  if (listener_ == nullptr) return false;
  phase_ = Phase::kReceiving;
  last_ms_ = engine_.loop().now_ms();
  header_bytes_ += line.size();
  if (header_bytes_ > request_.limits.header_bytes) {
    return abort(FailureKind::kTooLarge,
                 "headers of more than " + std::to_string(request_.limits.header_bytes) + " bytes");
  }
  while (line.ends_with('\n') || line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
  if (!head_complete_ && line.starts_with("HTTP/")) return on_status_line(line);
  if (!head_complete_ && line.empty()) return on_head_complete();
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  (head_complete_ ? trailers_ : head_.headers).push_back(parsed_header(line, colon));
  return true;
}

bool HttpHop::on_status_line(std::string_view line) {
  head_.headers.clear();  // What came before was an interim answer.
  if (!request_.http2 || line.starts_with("HTTP/2")) return true;
  return abort(FailureKind::kProtocol, "the server does not speak HTTP/2");
}

bool HttpHop::on_head_complete() {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 100 && status < 200) return true;
  head_.status = static_cast<int>(status);
  head_complete_ = true;
  const std::string_view length = head_.find("content-length");
  std::uint64_t announced = 0;
  std::from_chars(length.data(), length.data() + length.size(), announced);
  if (request_.limits.body_bytes > 0 && announced > request_.limits.body_bytes) {
    return abort(FailureKind::kTooLarge, "announces " + std::to_string(announced) +
                                             " bytes, allowed are " +
                                             std::to_string(request_.limits.body_bytes));
  }
  unwanted_ = !listener_->on_hop_head(head_);
  if (unwanted_ || listener_ == nullptr) return false;
  watch_deadline();
  if (paused_) curl_easy_pause(easy_, CURLPAUSE_RECV);
  return true;
}

bool HttpHop::on_body(std::string_view piece) {
  if (listener_ == nullptr) return false;
  last_ms_ = engine_.loop().now_ms();
  body_bytes_ += piece.size();
  if (request_.limits.body_bytes > 0 && body_bytes_ > request_.limits.body_bytes) {
    return abort(FailureKind::kTooLarge,
                 "more than " + std::to_string(request_.limits.body_bytes) + " bytes");
  }
  unwanted_ = !listener_->on_hop_body(piece);
  return !unwanted_ && listener_ != nullptr;
}

bool HttpHop::abort(FailureKind kind, std::string message) {
  aborted_ = HttpError{kind, std::move(message)};
  return false;
}

std::int64_t HttpHop::next_deadline_ms() const {
  const HttpLimits& limits = request_.limits;
  const auto after = [](std::int64_t start_ms, std::chrono::milliseconds limit) {
    return limit.count() == 0 ? kNever : start_ms + limit.count();
  };
  const std::int64_t whole = after(started_ms_, limits.whole);
  if (phase_ == Phase::kWaiting) return std::min(whole, after(last_ms_, limits.first_byte));
  if (phase_ == Phase::kReceiving && head_complete_ && paused_since_ms_) return kNever;
  if (phase_ == Phase::kReceiving) return std::min(whole, after(last_ms_, limits.idle));
  return whole;  // curl itself ends a slow connect.
}

void HttpHop::watch_deadline() {
  const std::int64_t deadline = next_deadline_ms();
  if (deadline == kNever) return timer_.stop();
  timer_.start_once(std::max<std::int64_t>(deadline - engine_.loop().now_ms(), 1));
}

std::optional<HttpError> HttpHop::overdue(std::int64_t now_ms) const {
  if (now_ms < next_deadline_ms()) return std::nullopt;
  const HttpLimits& limits = request_.limits;
  const auto ms = [](std::chrono::milliseconds time) {
    return std::to_string(time.count()) + " ms";
  };
  if (limits.whole.count() > 0 && now_ms >= started_ms_ + limits.whole.count()) {
    const bool receiving = phase_ == Phase::kReceiving;
    return HttpError{receiving ? FailureKind::kSlow : FailureKind::kTimeout,
                     "not complete after " + ms(limits.whole)};
  }
  if (phase_ == Phase::kWaiting) {
    return HttpError{FailureKind::kTimeout, "no answer within " + ms(limits.first_byte)};
  }
  return HttpError{FailureKind::kTimeout, "silent for " + ms(limits.idle)};
}

// Every byte moves the deadline, but only the timer looks: re-arming it per byte would cost more
// than the byte.
void HttpHop::on_timer() {
  const HttpEngine::Busy busy(engine_);
  const std::int64_t now = engine_.loop().now_ms();
  std::optional<HttpError> error = aborted_ ? aborted_ : overdue(now);
  if (error) {
    end(std::move(error));
  } else {
    watch_deadline();
  }
}

void HttpHop::finished(int code) {
  if (listener_ == nullptr) return;
  if (!trailers_.empty()) listener_->on_hop_trailers(trailers_);
  if (aborted_) return end(std::move(aborted_));
  if (unwanted_ || code == CURLE_OK) return end(std::nullopt);
  end(error_of(code));
}

HttpError HttpHop::error_of(int code) const {
  long system_error = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &system_error);
  return curl_error(code, curl_message_.data(), head_complete_, static_cast<int>(system_error));
}

void HttpHop::end(std::optional<HttpError> error) {
  if (phase_ == Phase::kEnded) return;
  phase_ = Phase::kEnded;
  timer_.stop();
  resume_.stop();
  if (listener_ != nullptr) listener_->on_hop_end(std::move(error));
}

}  // namespace flagstone::upstream
