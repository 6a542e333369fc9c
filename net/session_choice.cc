#include "net/session_choice.h"

#include "net/http1_session.h"
#include "net/http2_session.h"
#include "net/tls_session.h"

namespace flagstone::net {
namespace {

// How the client's preface begins: what sets it apart from every method that HTTP/1 knows, PUT and
// PROPFIND included.
constexpr std::string_view kPreface = "PRI";

}  // namespace

std::unique_ptr<Session> choose_session(std::string_view first_bytes, SessionResources& resources,
                                        SessionHost& host, unsigned listener_index,
                                        ListenerKind listener_kind) {
  if (resources.tls[listener_index] != nullptr && !host.over_tls()) {
    return std::make_unique<TlsSession>(resources, host, listener_index, listener_kind);
  }
  const std::string_view begin = first_bytes.substr(0, kPreface.size());
  if (begin == kPreface) {
    return std::make_unique<Http2Session>(resources, host, listener_index, listener_kind);
  }
  if (kPreface.starts_with(begin)) return nullptr;
  return std::make_unique<Http1Session>(resources, host, listener_index, listener_kind);
}

}  // namespace flagstone::net
