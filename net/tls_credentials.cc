#include "net/tls_credentials.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>
#include <optional>
#include <string_view>
#include <utility>

#include "net/tls_bio.h"

namespace flagstone::net {
namespace {

// In our order of preference, each behind its length (RFC 7301, 3.1).
constexpr std::string_view kProtocols = "\x02h2\x08http/1.1";
// TLS 1.2's that HTTP/2 allows (RFC 9113, appendix A); 1.3's are all good.
constexpr const char* kTls12Ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr unsigned char kSessionContext[] = "flagstone";

struct FreeOpenSsl {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <typename T>
using Owned = std::unique_ptr<T, FreeOpenSsl>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// No protocol in common is an error, as RFC 7301 wants it; who offers none never gets here.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void*) noexcept {
  unsigned char* choice = nullptr;
  if (SSL_select_next_proto(&choice, size, bytes_of(kProtocols), kProtocols.size(), offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = choice;
  return SSL_TLSEXT_ERR_OK;
}

// Being asked for a passphrase says that the key has one.
int no_passphrase(char*, int, int, void* was_asked) noexcept {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

// OpenSSL's reason for the latest failure; it names things, never contents.
std::string reason() {
  const unsigned long error = ERR_peek_last_error();
  const char* text = error == 0 ? nullptr : ERR_reason_error_string(error);
  return text == nullptr ? "unknown reason" : text;
}

Owned<BIO> open_text(std::string_view text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::int64_t unix_seconds(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

}  // namespace

void TlsCredentials::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }
void TlsCredentials::Free::operator()(bio_method_st* method) const { BIO_meth_free(method); }
TlsCredentials::TlsCredentials() = default;
TlsCredentials::~TlsCredentials() = default;

// Puts one part after the other into the context; each returns what is wrong with it.
class TlsCredentials::Maker {
 public:
  using Problem = std::optional<std::string>;

  Maker(TlsCredentials& made, const TlsTexts& texts, const TlsFiles& files)
      : made_(made), texts_(texts), files_(files) {}

  Problem make() {
    ERR_clear_error();
    if (Problem problem = open()) return problem;
    if (Problem problem = add_certificate()) return problem;
    if (Problem problem = add_key()) return problem;
    return files_.client_ca.empty() ? Problem() : ask_clients();
  }

 private:
  Problem open() {
    made_.bio_method_.reset(make_tls_bio_method());
    made_.context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX* context = made_.context();
    if (context == nullptr || made_.bio_method() == nullptr ||
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, kTls12Ciphers) != 1) {
      return "TLS cannot be set up: " + reason();
    }
    SSL_CTX_set_options(context,
                        SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(context, kSessionContext, sizeof kSessionContext - 1);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, &choose_protocol, nullptr);
    return {};
  }

  Problem add_certificate() {
    Owned<BIO> text = open_text(texts_.certificate);
    Owned<X509> leaf(PEM_read_bio_X509(text.get(), nullptr, &no_passphrase, &passphrase_));
    if (leaf == nullptr) return about_certificate("no certificate in PEM is in it");
    if (SSL_CTX_use_certificate(made_.context(), leaf.get()) != 1) {
      return about_certificate("it cannot be used: " + reason());
    }
    made_.expires_unix_seconds_ = unix_seconds(X509_get0_notAfter(leaf.get()));
    while (X509* next = PEM_read_bio_X509(text.get(), nullptr, &no_passphrase, &passphrase_)) {
      if (SSL_CTX_add0_chain_cert(made_.context(), next) == 1) continue;
      X509_free(next);
      return about_certificate("its chain cannot be used: " + reason());
    }
    if (!ended_well()) return about_certificate("its chain is malformed");
    return {};
  }

  Problem add_key() {
    Owned<BIO> text = open_text(texts_.key);
    Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(text.get(), nullptr, &no_passphrase, &passphrase_));
    if (passphrase_) {
      return about_key("it is encrypted; write it without a passphrase: openssl pkey -in " +
                       files_.key + " -out NEW_FILE");
    }
    if (key == nullptr) return about_key("no private key in PEM is in it");
    const X509* certificate = SSL_CTX_get0_certificate(made_.context());
    if (X509_check_private_key(certificate, key.get()) != 1) {
      return about_key("it does not belong to the certificate in " + files_.certificate);
    }
    if (SSL_CTX_use_PrivateKey(made_.context(), key.get()) != 1) {
      return about_key("it cannot be used: " + reason());
    }
    return {};
  }

  Problem ask_clients() {
    Owned<BIO> text = open_text(texts_.client_ca);
    X509_STORE* trusted = SSL_CTX_get_cert_store(made_.context());
    int count = 0;
    for (;; ++count) {
      Owned<X509> ca(PEM_read_bio_X509(text.get(), nullptr, &no_passphrase, &passphrase_));
      if (ca == nullptr) break;
      if (X509_STORE_add_cert(trusted, ca.get()) != 1 ||
          SSL_CTX_add_client_CA(made_.context(), ca.get()) != 1) {
        return about_client_ca("a certificate in it cannot be used: " + reason());
      }
    }
    if (count == 0) return about_client_ca("no certificate in PEM is in it");
    if (!ended_well()) return about_client_ca("it is malformed");
    SSL_CTX_set_verify(made_.context(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return {};
  }

  // Reading PEM one after the other ends with the complaint that there is no further one.
  static bool ended_well() {
    const unsigned long error = ERR_peek_last_error();
    ERR_clear_error();
    return ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  }

  Problem about_certificate(const std::string& what) const {
    return "TLS certificate " + files_.certificate + ": " + what;
  }
  Problem about_key(const std::string& what) const { return "TLS key " + files_.key + ": " + what; }
  Problem about_client_ca(const std::string& what) const {
    return "TLS client CA " + files_.client_ca + ": " + what;
  }

  TlsCredentials& made_;
  const TlsTexts& texts_;
  const TlsFiles& files_;
  bool passphrase_ = false;
};

std::expected<std::shared_ptr<const TlsCredentials>, Error> TlsCredentials::make(
    const TlsTexts& texts, const TlsFiles& files) {
  std::shared_ptr<TlsCredentials> made(new TlsCredentials);
  if (auto problem = Maker(*made, texts, files).make()) {
    ERR_clear_error();
    return std::unexpected(Error{0, std::move(*problem)});
  }
  return made;
}

}  // namespace flagstone::net
