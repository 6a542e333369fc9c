// nghttp2's callbacks, as trampolines to Http2Session's members, and how its sessions are set up.
//
// Inside Http2Session only.
#pragma once

#include "net/http2_session.h"

namespace flagstone::net {

struct Http2Session::Codec {
  // With SETTINGS and the connection's window submitted. Aborts when there is no memory for it.
  static nghttp2_session* make_session(Http2Session& session);
  // Gives the stream's output to nghttp2, which asks for it as the peer's windows allow.
  static nghttp2_data_provider data_of(Http2Stream& stream);

 private:
  static void set_receiving(nghttp2_session_callbacks* callbacks);
  static void set_saying(nghttp2_session_callbacks* callbacks);
};

}  // namespace flagstone::net
