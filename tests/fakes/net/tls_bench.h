// A TlsSession without a connection, and OpenSSL's client beside it: bytes are carried by hand.
#pragma once

#include <openssl/ssl.h>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "net/session_choice.h"
#include "net/tls_credentials.h"
#include "net/tls_session.h"
#include "tests/fakes/net/recording_handler.h"
#include "tests/fakes/net/test_certificates.h"

namespace flagstone::net {

// What the client does differently from an ordinary one.
struct TlsClientOptions {
  std::string protocols = "\x08http/1.1";  // ALPN's; empty: it offers none
  int max_version = TLS1_3_VERSION;
  const TestCertificate* certificate = nullptr;
  SSL_SESSION* resumed = nullptr;
};

class TlsTestClient {
 public:
  explicit TlsTestClient(const TlsClientOptions& options = {})
      : context_(SSL_CTX_new(TLS_client_method())), ssl_(nullptr) {
    SSL_CTX_set_security_level(context_.get(), 0);  // so that TLS 1.1 is at least tried
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), options.max_version);
    if (options.certificate != nullptr) {
      SSL_CTX_use_certificate(context_.get(), options.certificate->certificate());
      SSL_CTX_use_PrivateKey(context_.get(), options.certificate->key());
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_alpn_protos(ssl_.get(),
                        reinterpret_cast<const unsigned char*>(options.protocols.data()),
                        static_cast<unsigned>(options.protocols.size()));
    if (options.resumed != nullptr) SSL_set_session(ssl_.get(), options.resumed);
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_connect_state(ssl_.get());
    SSL_do_handshake(ssl_.get());
  }

  // What it has to send.
  std::string take() {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out_, &bytes);
    std::string copy(bytes, static_cast<std::size_t>(size));
    (void)BIO_reset(out_);
    return copy;
  }
  void receive(std::string_view bytes) {
    BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    char plain[4096];
    for (;;) {
      const int count = SSL_read(ssl_.get(), plain, sizeof plain);
      if (count > 0) {
        received.append(plain, static_cast<std::size_t>(count));
        continue;
      }
      const int error = SSL_get_error(ssl_.get(), count);
      closed = closed || error == SSL_ERROR_ZERO_RETURN;
      failed = failed || error == SSL_ERROR_SSL;
      return;
    }
  }
  void say(std::string_view text) {
    SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
  }
  bool connected() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  SSL* ssl() const { return ssl_.get(); }

  std::string received;  // decrypted
  bool closed = false;   // by close_notify
  bool failed = false;

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
  BIO* in_ = nullptr;   // the SSL's
  BIO* out_ = nullptr;  // the SSL's
};

class TlsBench final : public SessionHost {
 public:
  static constexpr unsigned kListener = 3;

  explicit TlsBench(const std::string& client_ca = {}) : resources(handler, {}, counters) {
    resources.tls[kListener] = credentials(client_ca);
    open();
  }
  // A further connection, with what the listener has now.
  void open() {
    session = choose_session("", resources, *this, kListener, ListenerKind::kLoopbackTcp);
  }
  std::shared_ptr<const TlsCredentials> credentials(const std::string& client_ca) const {
    const auto made =
        TlsCredentials::make({certificate.certificate_pem(), certificate.key_pem(), client_ca},
                             {"c", "k", client_ca.empty() ? "" : "ca"});
    return made ? *made : nullptr;
  }

  // Offers bytes as a connection would, and lets the session say what it asked to say.
  void give(std::string_view bytes) {
    auto copy = std::make_unique<char[]>(bytes.size() + Request::kBodyPaddingBytes);
    std::memcpy(copy.get(), bytes.data(), bytes.size());
    std::string_view rest(copy.get(), bytes.size());
    while (!rest.empty() && session->takes_bytes()) {
      std::string output;
      const std::size_t used = session->consume(rest, output);
      said += output;
      rest.remove_prefix(used);
      largest_output = std::max(largest_output, output.size());
      ASSERT_TRUE(used > 0 || !output.empty()) << "a connection would ask for ever";
    }
    left.assign(rest);
    let_produce();
  }
  void let_produce() {
    while (std::exchange(wants_to_produce, false)) {
      std::string output;
      session->produce(output);
      said += output;
      largest_output = std::max(largest_output, output.size());
    }
  }
  // Carries everything both ways until neither has more.
  void carry(TlsTestClient& client) {
    for (std::string bytes = client.take(); !bytes.empty() || !said.empty();
         bytes = client.take()) {
      give(bytes);
      client.receive(std::exchange(said, {}));
    }
  }

  void send_later(std::string_view) override { ADD_FAILURE() << "TLS says nothing unencrypted"; }
  std::size_t unsent_bytes() const override { return 0; }
  void resume_later() override { ++resumes; }
  void produce_later() override { wants_to_produce = true; }
  bool peer_is_local() const override { return true; }

  TestCertificate certificate{"server"};
  RecordingHandler handler;
  ServerCounters counters;
  SessionResources resources;
  std::string said;  // encrypted
  std::string left;  // of what was given, not consumed
  std::size_t largest_output = 0;
  int resumes = 0;
  bool wants_to_produce = false;
  std::unique_ptr<Session> session;
};

}  // namespace flagstone::net
