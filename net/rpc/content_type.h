// Which protocol and codec a Content-Type stands for, and the Content-Type of the answer.
//
// Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace flagstone::net {

enum class RpcKind : std::uint8_t { kUnary, kServerStream };
// How messages are written: protobuf bytes, or protobuf's JSON mapping.
enum class RpcCodec : std::uint8_t { kProto, kJson };
enum class RpcProtocol : std::uint8_t {
  kGrpc,
  kGrpcWeb,
  kGrpcWebText,
  kConnectUnary,
  kConnectStream
};

struct RpcContentType {
  std::string_view text;  // the answer's: that of the request, without parameters
  RpcProtocol protocol;
  RpcCodec codec;
};

// Letter case and parameters (`; charset=utf-8`) mean nothing. Nullptr for all others.
const RpcContentType* find_rpc_content_type(std::string_view field);

// Connect has one protocol for unary calls and another for streams; gRPC's carry both.
bool carries(RpcProtocol protocol, RpcKind kind);
// For the field Accept-Post.
std::string_view accepted_content_types(RpcKind kind);

constexpr bool is_connect(RpcProtocol protocol) {
  return protocol == RpcProtocol::kConnectUnary || protocol == RpcProtocol::kConnectStream;
}
constexpr bool is_framed(RpcProtocol protocol) { return protocol != RpcProtocol::kConnectUnary; }

}  // namespace flagstone::net
