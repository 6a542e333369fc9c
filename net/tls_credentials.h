// A certificate and its key, ready for handshakes.
//
// Immutable, shared by all serving loops; a changed file makes a new one (Server::set_tls).
//
// Sessions are not resumed, neither by ticket nor by id: connections live long, a client's
// certificate is looked at on every one of them, and there is no ticket key that would open
// recorded TLS 1.2.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "net/error.h"

struct bio_method_st;  // OpenSSL's, seen only inside net/
struct ssl_ctx_st;

namespace flagstone::net {

struct TlsFiles {
  std::string certificate;  // PEM, the leaf first, then its chain
  std::string key;          // PEM, without passphrase
  std::string client_ca;    // PEM; when set, clients must show a certificate signed by one of these
  bool operator==(const TlsFiles&) const = default;
};

// PEM texts, as read from the files by whoever may read files.
struct TlsTexts {
  std::string certificate;
  std::string key;
  std::string client_ca;
};

class TlsCredentials {
 public:
  // TLS 1.2 and 1.3, ALPN h2 and http/1.1, no compression, no renegotiation. The error says which
  // of the texts is wrong and how ("the key does not belong to the certificate"), and never quotes
  // a key. `files` only names the places in errors; with files.client_ca, clients must show a
  // certificate.
  static std::expected<std::shared_ptr<const TlsCredentials>, Error> make(const TlsTexts& texts,
                                                                          const TlsFiles& files);
  ~TlsCredentials();
  TlsCredentials(const TlsCredentials&) = delete;
  TlsCredentials& operator=(const TlsCredentials&) = delete;

  // Wall time after which clients refuse the certificate.
  std::int64_t expires_unix_seconds() const { return expires_unix_seconds_; }

  // For TlsSession. OpenSSL counts references to a context, which its type does not show.
  ssl_ctx_st* context() const { return context_.get(); }
  bio_method_st* bio_method() const { return bio_method_.get(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
    void operator()(bio_method_st* method) const;
  };
  class Maker;
  TlsCredentials();

  std::unique_ptr<bio_method_st, Free> bio_method_;
  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::int64_t expires_unix_seconds_ = 0;
};

}  // namespace flagstone::net
