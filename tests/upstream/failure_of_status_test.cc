#include "upstream/failure_of_status.h"

#include <gtest/gtest.h>

#include <string>

namespace flagstone::upstream {
namespace {

using net::RpcCode;

TEST(FailureOfStatusTest, HttpAndGrpcAgree) {
  EXPECT_EQ(failure_of_http_status(401), FailureKind::kUnauthorized);
  EXPECT_EQ(failure_of_http_status(410), FailureKind::kNotFound);
  EXPECT_EQ(failure_of_http_status(429), FailureKind::kRateLimited);
  EXPECT_EQ(failure_of_http_status(503), FailureKind::kServerError);
  EXPECT_EQ(failure_of_http_status(302), FailureKind::kHttpStatus);
  EXPECT_EQ(failure_of_grpc_status(RpcCode::kUnauthenticated), FailureKind::kUnauthorized);
  EXPECT_EQ(failure_of_grpc_status(RpcCode::kPermissionDenied), FailureKind::kUnauthorized);
  EXPECT_EQ(failure_of_grpc_status(RpcCode::kUnimplemented), FailureKind::kNotFound);
  EXPECT_EQ(failure_of_grpc_status(RpcCode::kResourceExhausted), FailureKind::kRateLimited);
  EXPECT_EQ(failure_of_grpc_status(RpcCode::kUnavailable), FailureKind::kServerError);
  EXPECT_EQ(failure_of_grpc_status(RpcCode::kInvalidArgument), FailureKind::kHttpStatus);
}

TEST(FailureOfStatusTest, GrpcStatusAsText) {
  EXPECT_EQ(parse_grpc_status("0"), RpcCode::kOk);
  EXPECT_EQ(parse_grpc_status("16"), RpcCode::kUnauthenticated);
  for (const char* text : {"", "17", "-1", "5x", "OK", "99999999999"}) {
    EXPECT_EQ(parse_grpc_status(text), RpcCode::kUnknown) << text;
  }
}

TEST(FailureOfStatusTest, WhatTheOtherSideSaysIsTamed) {
  EXPECT_EQ(grpc_status_sentence(RpcCode::kUnavailable, ""), "UNAVAILABLE");
  EXPECT_EQ(grpc_status_sentence(RpcCode::kInternal, "not%20good"), "INTERNAL: not good");
  EXPECT_EQ(grpc_status_sentence(RpcCode::kInternal, "100%"), "INTERNAL: 100%");
  EXPECT_EQ(grpc_status_sentence(RpcCode::kInternal, "a%0Ab%1B[1m"), "INTERNAL: a?b?[1m");
  EXPECT_EQ(grpc_status_sentence(RpcCode::kUnknown, std::string(5000, 'x')).size(),
            std::string("UNKNOWN: ").size() + 256 + 3);
}

}  // namespace
}  // namespace flagstone::upstream
