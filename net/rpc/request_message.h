// The message of a call's request: taken out of its frame, its base64 and its gzip. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "net/request.h"
#include "net/rpc/content_type.h"
#include "net/rpc/gzip.h"
#include "net/rpc/problem.h"

namespace flagstone::net {

// Memory for what calls decode and encode, one per serving loop.
struct RpcScratch {
  // A message, compressed or not, at most. What is larger is kResourceExhausted.
  std::size_t message_bytes_max = 1'000'000;
  std::string message;  // after decompression
  std::string decoded;  // a body after base64
  std::string text;     // grpc-message, while it is sent
  Gunzip gunzip;
};

// Views into the request or the scratch. Request::kBodyPaddingBytes behind it may be read.
std::expected<std::string_view, RpcProblem> read_request_message(const Request& request,
                                                                 const RpcContentType& type,
                                                                 RpcScratch& scratch);

// Nullopt within: the caller waits for ever.
std::expected<std::optional<std::int64_t>, RpcProblem> read_timeout_ms(const Request& request,
                                                                       RpcProtocol protocol);

}  // namespace flagstone::net
