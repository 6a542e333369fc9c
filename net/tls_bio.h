// How OpenSSL reads and writes a session's bytes: straight from what was received, straight into
// what is to be sent, with nothing kept in between.
//
// TlsPipe is owned by the session and set for the time of one call into OpenSSL; the loop's thread
// only. Reading past what was received asks to be called again, writing never fails.
#pragma once

#include <openssl/bio.h>

#include <string>
#include <string_view>

namespace flagstone::net {

struct TlsPipe {
  std::string_view received;    // shrinks as OpenSSL reads
  std::string* sent = nullptr;  // grows as it writes
};

// Null when no memory is left. The method must outlive every BIO made with it.
BIO_METHOD* make_tls_bio_method();
// The pipe must outlive the BIO. Null when no memory is left.
BIO* make_tls_bio(BIO_METHOD* method, TlsPipe& pipe);

}  // namespace flagstone::net
