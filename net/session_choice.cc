#include "net/session_choice.h"

#include "net/http1_session.h"
#include "net/tls_session.h"

namespace flagstone::net {

std::unique_ptr<Session> choose_session(std::string_view /*first_bytes*/,
                                        SessionResources& resources, SessionHost& host,
                                        unsigned listener_index, ListenerKind listener_kind) {
  if (resources.tls[listener_index] != nullptr && !host.over_tls()) {
    return std::make_unique<TlsSession>(resources, host, listener_index, listener_kind);
  }
  return std::make_unique<Http1Session>(resources, host, listener_index, listener_kind);
}

}  // namespace flagstone::net
