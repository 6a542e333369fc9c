// What an answer's status means for us: HTTP's and gRPC's. Pure.
#pragma once

#include <string>
#include <string_view>

#include "net/rpc/status.h"
#include "upstream/source.h"

namespace flagstone::upstream {

// For statuses that are no success.
FailureKind failure_of_http_status(int status);
FailureKind failure_of_grpc_status(net::RpcCode code);

// The text of grpc-status. Anything that is no code of gRPC's counts as kUnknown, as gRPC wants it.
net::RpcCode parse_grpc_status(std::string_view text);

// `UNAVAILABLE: text`; `message` as in grpc-message: percent-encoded, and as long and as wild as
// the other side likes.
std::string grpc_status_sentence(net::RpcCode code, std::string_view message);

}  // namespace flagstone::upstream
