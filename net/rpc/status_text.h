// How a call's end is written: gRPC's trailers and Connect's JSON. Pure; all of it appends.
#pragma once

#include <string>
#include <string_view>

#include "net/rpc/status.h"

namespace flagstone::net {

// The value of grpc-message: everything but printable ASCII, and `%`, is percent-encoded.
void append_grpc_message(std::string_view message, std::string& out);
// The frame that gRPC-Web sends instead of trailers. `message` only where the code is not kOk.
void append_web_trailers(RpcCode code, std::string_view message, std::string& out);
// {"code":"not_found","message":"…"}; bytes that are no UTF-8 become U+FFFD.
void append_connect_error(RpcCode code, std::string_view message, std::string& out);
// The envelope that ends a Connect stream: {} or {"error":{…}}.
void append_connect_end(RpcCode code, std::string_view message, std::string& out);

}  // namespace flagstone::net
