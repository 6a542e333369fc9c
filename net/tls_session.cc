#include "net/tls_session.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <utility>

#include "net/session_choice.h"
#include "net/tls_credentials.h"

namespace flagstone::net {
namespace {

// What a peer that agreed on HTTP/2 begins with (RFC 9113, 3.4).
constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

constexpr std::string_view kNotPlain =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 33\r\n"
    "Connection: close\r\n\r\nthis port speaks TLS: use https:\n";

// OpenSSL's own buffers, which it has for a record that is half read or a handshake under way.
constexpr std::size_t kOpenSslBufferBytes = 17 * 1024;

std::string_view agreed_protocol(const SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

// Short strings live inside the session itself.
std::size_t heap_bytes(const std::string& text) {
  return text.capacity() > std::string().capacity() ? text.capacity() : 0;
}

// Records begin with a byte below 32 (RFC 8446, 5.1), HTTP with a method or "PRI".
bool is_plain_http(std::string_view first_bytes) {
  return first_bytes.front() >= 'A' && first_bytes.front() <= 'Z';
}

}  // namespace

// Trampoline only.
struct TlsSession::Watch {
  static void message(int sent, int, int type, const void* bytes, std::size_t size, SSL*,
                      void* session) noexcept {
    if (sent == 0 && type == SSL3_RT_HANDSHAKE && bytes != nullptr && size > 0) {
      static_cast<TlsSession*>(session)->handshake_message();
    }
  }
};

TlsSession::TlsSession(SessionResources& resources, SessionHost& host, unsigned listener_index,
                       ListenerKind listener_kind)
    : resources_(resources),
      host_(host),
      credentials_(resources.tls[listener_index]),
      ssl_(SSL_new(credentials_->context())),
      listener_index_(listener_index),
      listener_kind_(listener_kind) {
  resources_.counters.session_bytes.add(kResidentBytes);
  BIO* bio = ssl_ == nullptr ? nullptr : make_tls_bio(credentials_->bio_method(), pipe_);
  if (bio == nullptr) {
    fail();
    return;
  }
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
  SSL_set_msg_callback(ssl_.get(), &Watch::message);
  SSL_set_msg_callback_arg(ssl_.get(), this);
}

TlsSession::~TlsSession() {
  // Given up by the peer, or by us when its time was over.
  if (!handshake_over_ && !failed_) fail();
  resources_.counters.session_bytes.subtract(kResidentBytes);
}

std::size_t TlsSession::consume(std::string_view bytes, std::string& output) {
  if (!std::exchange(begun_, true) && !failed_ && is_plain_http(bytes)) {
    output.append(kNotPlain);
    fail();
  }
  if (failed_) return bytes.size();
  pipe_ = {bytes, &output};
  say({});
  give_held();
  read_records();
  settle();
  return bytes.size() - std::exchange(pipe_, {}).received.size();
}

void TlsSession::produce(std::string& output) {
  if (failed_ || said_goodbye_) return;
  pipe_ = {{}, &output};
  say({});
  give_held();
  if (inner_ != nullptr && may_say_more()) {
    std::string& said = resources_.plaintext;
    said.clear();
    inner_->produce(said);
    say(said);
  }
  settle();
  pipe_ = {};
}

void TlsSession::read_records() {
  // The record is decrypted into this, and read there by the session inside.
  std::array<char, kRecordBytesMax + Request::kBodyPaddingBytes> record;
  while (may_say_more() && !said_goodbye_ &&
         (inner_ == nullptr || (held_.empty() && inner_takes()))) {
    ERR_clear_error();
    std::size_t size = 0;
    const int result = SSL_read_ex(ssl_.get(), record.data(), kRecordBytesMax, &size);
    handshake_over_ = handshake_over_ || SSL_is_init_finished(ssl_.get()) == 1;
    if (result != 1) {
      not_read(SSL_get_error(ssl_.get(), result));
      return;
    }
    give({record.data(), size});
  }
}

void TlsSession::handshake_message() {
  if (++handshake_messages_ <= kHandshakeMessagesMax || flooded_) return;
  flooded_ = true;
  resources_.counters.floods.add();
  pipe_.received = {};  // OpenSSL would go on as long as there is something to read
}

void TlsSession::not_read(int error) {
  if (flooded_) {
    fail();
    return;
  }
  if (error == SSL_ERROR_WANT_READ) return;  // all that was received is read
  if (error == SSL_ERROR_ZERO_RETURN) {
    say_goodbye();  // the peer did
  } else {
    fail();  // the alert is in the output
  }
}

// Takes what the session inside takes, and keeps the rest.
void TlsSession::give(std::string_view plaintext) {
  if (inner_ == nullptr) {
    held_.append(plaintext);
    choose_inner();
    if (inner_ != nullptr) give_held();
    return;
  }
  while (!plaintext.empty() && inner_takes() && may_say_more()) {
    std::string& said = resources_.plaintext;
    said.clear();
    const std::size_t used = inner_->consume(plaintext, said);
    plaintext.remove_prefix(used);
    const bool stuck = used == 0 && said.empty();
    say(said);
    if (stuck) break;
  }
  held_.assign(plaintext);
}

void TlsSession::give_held() {
  if (inner_ == nullptr || held_.empty() || !inner_takes()) return;
  std::string bytes;
  bytes.swap(held_);
  bytes.reserve(bytes.size() + Request::kBodyPaddingBytes);
  give(bytes);
}

void TlsSession::choose_inner() {
  const bool http2 = agreed_protocol(ssl_.get()) == "h2";
  inner_ = choose_session(http2 ? kHttp2Preface : std::string_view(held_), resources_, *this,
                          listener_index_, listener_kind_);
  if (inner_ != nullptr && finish_soon_) inner_->finish_soon();
}

bool TlsSession::may_say_more() const {
  return !failed_ && pipe_.sent->size() < kOutputBytesPerWrite;
}

bool TlsSession::inner_takes() const { return inner_->takes_bytes() && !inner_over(); }

bool TlsSession::inner_over() const {
  return inner_ != nullptr && inner_->phase() > SessionPhase::kStreaming;
}

// What was said by send_later() goes before it.
void TlsSession::say(std::string_view plaintext) {
  if (!unsaid_.empty()) {
    const std::string earlier = std::exchange(unsaid_, {});
    encrypt(earlier);
  }
  encrypt(plaintext);
}

void TlsSession::encrypt(std::string_view plaintext) {
  if (plaintext.empty() || failed_) return;
  ERR_clear_error();
  std::size_t written = 0;
  if (SSL_write_ex(ssl_.get(), plaintext.data(), plaintext.size(), &written) != 1) fail();
}

// After anything that was consumed or produced.
void TlsSession::settle() {
  std::string& said = resources_.plaintext;
  if (said.capacity() > SessionResources::kAnswerBytesKeptMax) std::string().swap(said);
  if (inner_over() || farewell_) say_goodbye();
  // The output was full: the connection has nothing left to offer us, so we ask.
  if (inner_ != nullptr && !held_.empty() && inner_takes()) host_.produce_later();
}

void TlsSession::say_goodbye() {
  if (failed_ || std::exchange(said_goodbye_, true)) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

void TlsSession::fail() {
  failed_ = true;
  if (!handshake_over_) resources_.counters.tls_failures.add();
}

SessionPhase TlsSession::phase() const {
  if (failed_) return flooded_ ? SessionPhase::kCut : SessionPhase::kFailed;
  if (inner_ == nullptr) {
    if (said_goodbye_) return SessionPhase::kDone;
    return handshake_over_ && held_.empty() ? SessionPhase::kIdle : SessionPhase::kHeader;
  }
  if (said_goodbye_) return std::max(SessionPhase::kDone, inner_->phase());
  // Its last bytes and our goodbye are still to be produced.
  return inner_over() ? SessionPhase::kStreaming : inner_->phase();
}

bool TlsSession::takes_bytes() const {
  return !failed_ && !said_goodbye_ && (inner_ == nullptr || inner_->takes_bytes());
}

bool TlsSession::owes_answer() const { return inner_ != nullptr && inner_->owes_answer(); }

std::size_t TlsSession::waiting_bytes() const {
  return unsaid_.size() + (inner_ != nullptr ? inner_->waiting_bytes() : 0);
}

std::uint64_t TlsSession::said_bytes() const {
  return inner_ != nullptr ? inner_->said_bytes() : 0;
}

std::uint32_t TlsSession::requests_begun() const {
  return inner_ != nullptr ? inner_->requests_begun() : 0;
}

std::size_t TlsSession::held_bytes() const {
  const bool buffering = !failed_ && (!handshake_over_ || SSL_has_pending(ssl_.get()) == 1);
  return heap_bytes(held_) + heap_bytes(unsaid_) + (buffering ? kOpenSslBufferBytes : 0) +
         (inner_ != nullptr ? inner_->held_bytes() : 0);
}

void TlsSession::output_drained() {
  if (inner_ != nullptr) inner_->output_drained();
}

void TlsSession::finish_soon() {
  finish_soon_ = true;
  if (inner_ != nullptr) inner_->finish_soon();
}

bool TlsSession::say_farewell() {
  if (inner_ != nullptr && inner_->say_farewell()) return true;
  if (!handshake_over_ || failed_ || said_goodbye_ || farewell_) return false;
  farewell_ = true;
  return true;
}

void TlsSession::end_event_streams() {
  if (inner_ != nullptr) inner_->end_event_streams();
}

void TlsSession::send_later(std::string_view bytes) {
  unsaid_.append(bytes);
  host_.produce_later();
}

std::size_t TlsSession::unsent_bytes() const {
  return host_.unsent_bytes() + unsaid_.size() + (pipe_.sent != nullptr ? pipe_.sent->size() : 0);
}

void TlsSession::resume_later() {
  host_.resume_later();
  host_.produce_later();
}

void TlsSession::produce_later() { host_.produce_later(); }

}  // namespace flagstone::net
