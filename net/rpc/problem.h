// What is wrong with a call's request, and what each protocol calls that.
//
// Pure. The codes are those of grpc/doc/statuscodes.md; Connect blames the caller where gRPC says
// INTERNAL.
#pragma once

#include <cstdint>
#include <string_view>

#include "net/rpc/content_type.h"
#include "net/rpc/status.h"

namespace flagstone::net {

enum class RpcProblem : std::uint8_t {
  kCut,                 // fewer bytes than the frame's prefix announces
  kNoMessage,           // where there has to be one
  kMoreThanOneMessage,  // where there may be one
  kTooLarge,            // the message, compressed or not
  kUnknownFlags,        // in a frame's prefix
  kUnknownEncoding,     // neither gzip nor identity
  kNoEncoding,          // marked as compressed, and not said how
  kBadGzip,
  kBadBase64,
  kEmptyJson,   // not even {}
  kBadTimeout,  // grpc-timeout or connect-timeout-ms
  kTimeoutOver,
  kUnknownVersion,  // Connect-Protocol-Version
};

struct RpcProblemText {
  RpcCode code;
  std::string_view text;
};
RpcProblemText describe(RpcProblem problem, RpcProtocol protocol);

}  // namespace flagstone::net
