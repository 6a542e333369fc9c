#include "net/tls_bio.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace flagstone::net {
namespace {

TlsPipe& pipe_of(BIO* bio) { return *static_cast<TlsPipe*>(BIO_get_data(bio)); }

int read_received(BIO* bio, char* out, std::size_t wanted, std::size_t* count) noexcept {
  TlsPipe& pipe = pipe_of(bio);
  BIO_clear_retry_flags(bio);
  *count = std::min(wanted, pipe.received.size());
  if (*count == 0) {
    BIO_set_retry_read(bio);
    return 0;
  }
  std::memcpy(out, pipe.received.data(), *count);
  pipe.received.remove_prefix(*count);
  return 1;
}

int write_sent(BIO* bio, const char* bytes, std::size_t size, std::size_t* count) noexcept {
  TlsPipe& pipe = pipe_of(bio);
  BIO_clear_retry_flags(bio);
  assert(pipe.sent != nullptr);
  pipe.sent->append(bytes, size);
  *count = size;
  return 1;
}

long control(BIO*, int command, long, void*) noexcept { return command == BIO_CTRL_FLUSH ? 1 : 0; }

}  // namespace

BIO_METHOD* make_tls_bio_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "flagstone's connection");
  if (method == nullptr) return nullptr;
  BIO_meth_set_read_ex(method, &read_received);
  BIO_meth_set_write_ex(method, &write_sent);
  BIO_meth_set_ctrl(method, &control);
  return method;
}

BIO* make_tls_bio(BIO_METHOD* method, TlsPipe& pipe) {
  BIO* bio = BIO_new(method);
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, &pipe);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace flagstone::net
