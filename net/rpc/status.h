// How an RPC ends: gRPC's status codes, and what Connect calls them.
//
// Pure. Sources: grpc/doc/statuscodes.md; connectrpc.com/docs/protocol (error codes and their HTTP
// statuses).
#pragma once

#include <cstdint>
#include <string_view>

namespace flagstone::net {

enum class RpcCode : std::uint8_t {
  kOk = 0,
  kCanceled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// "0" … "16", as in the trailer grpc-status.
std::string_view grpc_status_text(RpcCode code);
// "not_found", as in a Connect error's `code`.
std::string_view connect_code_name(RpcCode code);
// 404 for kNotFound, …
int connect_http_status(RpcCode code);
// The code that stands for a refusal's HTTP status (413 → kResourceExhausted, 401 →
// kUnauthenticated, 404 → kUnimplemented, …).
RpcCode code_of_http_status(int status);

}  // namespace flagstone::net
