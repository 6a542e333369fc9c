#include "net/rpc/content_type.h"

#include <gtest/gtest.h>

namespace flagstone::net {
namespace {

using enum RpcProtocol;
using enum RpcCodec;

TEST(RpcContentType, Known) {
  struct Row {
    const char* field;
    const char* text;
    RpcProtocol protocol;
    RpcCodec codec;
  };
  const Row rows[] = {
      {"application/grpc", "application/grpc", kGrpc, kProto},
      {"application/grpc+proto", "application/grpc+proto", kGrpc, kProto},
      {"application/grpc+json", "application/grpc+json", kGrpc, kJson},
      {"Application/GRPC ; x=y", "application/grpc", kGrpc, kProto},
      {"application/grpc-web", "application/grpc-web", kGrpcWeb, kProto},
      {"application/grpc-web+proto", "application/grpc-web+proto", kGrpcWeb, kProto},
      {"application/grpc-web+json", "application/grpc-web+json", kGrpcWeb, kJson},
      {"application/grpc-web-text", "application/grpc-web-text", kGrpcWebText, kProto},
      {"application/grpc-web-text+proto", "application/grpc-web-text+proto", kGrpcWebText, kProto},
      {"application/json", "application/json", kConnectUnary, kJson},
      {"application/json; charset=utf-8", "application/json", kConnectUnary, kJson},
      {"application/json;charset=UTF-8", "application/json", kConnectUnary, kJson},
      {"application/proto", "application/proto", kConnectUnary, kProto},
      {"application/connect+json", "application/connect+json", kConnectStream, kJson},
      {"application/connect+proto", "application/connect+proto", kConnectStream, kProto},
  };
  for (const Row& row : rows) {
    const RpcContentType* type = find_rpc_content_type(row.field);
    ASSERT_NE(type, nullptr) << row.field;
    EXPECT_EQ(type->text, row.text);
    EXPECT_EQ(type->protocol, row.protocol) << row.field;
    EXPECT_EQ(type->codec, row.codec) << row.field;
  }
}

TEST(RpcContentType, Unknown) {
  for (const char* field :
       {"", ";", "application", "application/", "text/plain", "application/grpc+thrift",
        "application/grpcweb", "application/connect", "application/jsonp", "xapplication/json",
        "application/x-www-form-urlencoded", "text/json"}) {
    EXPECT_EQ(find_rpc_content_type(field), nullptr) << field;
  }
}

TEST(RpcContentType, WhatIsAcceptedIsUnderstood) {
  for (const RpcKind kind : {RpcKind::kUnary, RpcKind::kServerStream}) {
    std::string_view list = accepted_content_types(kind);
    while (!list.empty()) {
      const std::string_view one = list.substr(0, list.find(", "));
      const RpcContentType* type = find_rpc_content_type(one);
      ASSERT_NE(type, nullptr) << one;
      EXPECT_TRUE(carries(type->protocol, kind)) << one;
      list.remove_prefix(std::min(list.size(), one.size() + 2));
    }
  }
}

}  // namespace
}  // namespace flagstone::net
