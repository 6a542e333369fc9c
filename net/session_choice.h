// Which protocol a connection speaks. The one place that decides it.
//
// Pure but for what it creates.
#pragma once

#include <memory>
#include <string_view>

#include "net/address.h"
#include "net/session.h"

namespace flagstone::net {

class SessionResources;

// By the connection's first bytes; null while they leave it open, and then it is asked again with
// more. HTTP/2 is told by its preface "PRI * HTTP/2.0", the rest is HTTP/1. On listeners with
// credentials it is TLS, whatever the bytes, and the session inside is asked for with the first
// decrypted ones.
std::unique_ptr<Session> choose_session(std::string_view first_bytes, SessionResources& resources,
                                        SessionHost& host, unsigned listener_index,
                                        ListenerKind listener_kind);

}  // namespace flagstone::net
