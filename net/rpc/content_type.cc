#include "net/rpc/content_type.h"

#include <array>

#include "net/ascii.h"

namespace flagstone::net {
namespace {

using enum RpcProtocol;
using enum RpcCodec;

// What is asked most often stands first.
constexpr std::array<RpcContentType, 13> kTypes = {{
    {"application/grpc", kGrpc, kProto},
    {"application/json", kConnectUnary, kJson},
    {"application/proto", kConnectUnary, kProto},
    {"application/grpc+proto", kGrpc, kProto},
    {"application/connect+json", kConnectStream, kJson},
    {"application/connect+proto", kConnectStream, kProto},
    {"application/grpc-web+proto", kGrpcWeb, kProto},
    {"application/grpc-web", kGrpcWeb, kProto},
    {"application/grpc-web-text", kGrpcWebText, kProto},
    {"application/grpc-web-text+proto", kGrpcWebText, kProto},
    {"application/grpc+json", kGrpc, kJson},
    {"application/grpc-web+json", kGrpcWeb, kJson},
    {"application/grpc-web-text+json", kGrpcWebText, kJson},
}};

std::string_view without_parameters(std::string_view field) {
  field = field.substr(0, field.find(';'));
  while (!field.empty() && (field.back() == ' ' || field.back() == '\t')) field.remove_suffix(1);
  return field;
}

}  // namespace

const RpcContentType* find_rpc_content_type(std::string_view field) {
  const std::string_view name = without_parameters(field);
  for (const RpcContentType& type : kTypes) {
    if (equal_ignoring_case(type.text, name)) return &type;
  }
  return nullptr;
}

bool carries(RpcProtocol protocol, RpcKind kind) {
  if (protocol == kConnectUnary) return kind == RpcKind::kUnary;
  if (protocol == kConnectStream) return kind == RpcKind::kServerStream;
  return true;
}

std::string_view accepted_content_types(RpcKind kind) {
  if (kind == RpcKind::kUnary) {
    return "application/grpc, application/grpc+proto, application/grpc+json, application/grpc-web, "
           "application/grpc-web+proto, application/grpc-web+json, application/grpc-web-text, "
           "application/grpc-web-text+proto, application/json, application/proto";
  }
  return "application/grpc, application/grpc+proto, application/grpc+json, application/grpc-web, "
         "application/grpc-web+proto, application/grpc-web+json, application/grpc-web-text, "
         "application/grpc-web-text+proto, application/connect+json, application/connect+proto";
}

}  // namespace flagstone::net
