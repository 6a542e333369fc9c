// A certificate and its key, ready for handshakes.
//
// Immutable, shared by all serving loops; a changed file makes a new one (Server::set_tls). Loading
// reads files and is not for a serving loop.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "net/error.h"

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
  // a key. `files` only names the places in errors.
  static std::expected<std::shared_ptr<const TlsCredentials>, Error> make(const TlsTexts& texts,
                                                                          const TlsFiles& files);
  virtual ~TlsCredentials() = default;
};

}  // namespace flagstone::net
