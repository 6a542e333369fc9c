// TLS around another session: decrypts what comes, encrypts what the session inside says.
//
// Owned by the connection, the loop's thread only. The session inside is made when the handshake is
// over, HTTP/1.1 or HTTP/2 as ALPN says, else by the first decrypted bytes; its host is this
// object. A handshake counts as a header being received, so that its time limit holds.
//
// A failed handshake, or bytes that are not TLS, end the connection with the alert that says why,
// and are counted (ServerCounters::tls_failures), not logged. A peer that speaks plain HTTP is told
// so in plain HTTP.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "net/session.h"
#include "net/session_resources.h"
#include "net/tls_bio.h"

namespace flagstone::net {

class TlsCredentials;

class TlsSession final : public Session, private SessionHost {
 public:
  // What OpenSSL was measured to take for an idle connection.
  static constexpr std::size_t kResidentBytes = 16 * 1024;

  // What one record decrypts to at most (RFC 8446, 5.1).
  static constexpr std::size_t kRecordBytesMax = 16 * 1024;
  // A handshake has some five; behind it, new keys are asked for once in millions of records, and
  // renegotiation is refused. Beyond, the peer floods us.
  static constexpr int kHandshakeMessagesMax = 32;

  // REQUIRES: the listener has credentials in `resources`.
  TlsSession(SessionResources& resources, SessionHost& host, unsigned listener_index,
             ListenerKind listener_kind);
  ~TlsSession() override;

  std::size_t consume(std::string_view bytes, std::string& output) override;
  void produce(std::string& output) override;
  SessionPhase phase() const override;
  bool takes_bytes() const override;
  bool owes_answer() const override;
  std::size_t waiting_bytes() const override;
  std::uint64_t said_bytes() const override;
  std::uint32_t requests_begun() const override;
  std::size_t held_bytes() const override;
  void output_drained() override;
  void finish_soon() override;
  bool say_farewell() override;
  void end_event_streams() override;

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  struct Watch;  // OpenSSL's callback

  // For the session inside.
  void send_later(std::string_view bytes) override;
  std::size_t unsent_bytes() const override;
  void resume_later() override;
  void produce_later() override;
  bool peer_is_local() const override { return host_.peer_is_local(); }
  bool over_tls() const override { return true; }

  void read_records();
  void not_read(int error);
  void give(std::string_view plaintext);
  void give_held();
  void choose_inner();
  bool inner_takes() const;
  bool inner_over() const;
  void handshake_message();
  bool may_say_more() const;
  void say(std::string_view plaintext);
  void encrypt(std::string_view plaintext);
  void settle();
  void say_goodbye();
  void fail();

  SessionResources& resources_;
  SessionHost& host_;
  // Handshakes under way and SSL objects need what the listener had when they began.
  std::shared_ptr<const TlsCredentials> credentials_;
  TlsPipe pipe_;
  std::unique_ptr<SSL, Free> ssl_;
  std::unique_ptr<Session> inner_;  // none before the handshake is over and something was decrypted
  std::string held_;                // decrypted, at most a record that the inner does not take yet
  std::string unsaid_;              // of the inner, by send_later(), not yet encrypted
  int handshake_messages_ = 0;
  unsigned listener_index_;
  ListenerKind listener_kind_;
  bool begun_ = false;
  bool handshake_over_ = false;
  bool failed_ = false;
  bool flooded_ = false;
  bool said_goodbye_ = false;
  bool finish_soon_ = false;
  bool farewell_ = false;  // nothing but our goodbye is to be said any more
};

}  // namespace flagstone::net
