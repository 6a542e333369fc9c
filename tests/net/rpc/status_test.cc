#include "net/rpc/status.h"

#include <gtest/gtest.h>

namespace flagstone::net {
namespace {

using enum RpcCode;

TEST(RpcStatus, NamesAndNumbers) {
  struct Row {
    RpcCode code;
    const char* number;
    const char* name;
    int http_status;
  };
  const Row rows[] = {
      {kOk, "0", "ok", 200},
      {kCanceled, "1", "canceled", 499},
      {kUnknown, "2", "unknown", 500},
      {kInvalidArgument, "3", "invalid_argument", 400},
      {kDeadlineExceeded, "4", "deadline_exceeded", 504},
      {kNotFound, "5", "not_found", 404},
      {kAlreadyExists, "6", "already_exists", 409},
      {kPermissionDenied, "7", "permission_denied", 403},
      {kResourceExhausted, "8", "resource_exhausted", 429},
      {kFailedPrecondition, "9", "failed_precondition", 400},
      {kAborted, "10", "aborted", 409},
      {kOutOfRange, "11", "out_of_range", 400},
      {kUnimplemented, "12", "unimplemented", 501},
      {kInternal, "13", "internal", 500},
      {kUnavailable, "14", "unavailable", 503},
      {kDataLoss, "15", "data_loss", 500},
      {kUnauthenticated, "16", "unauthenticated", 401},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(grpc_status_text(row.code), row.number);
    EXPECT_EQ(connect_code_name(row.code), row.name);
    EXPECT_EQ(connect_http_status(row.code), row.http_status) << row.name;
  }
}

TEST(RpcStatus, OfARefusal) {
  struct Row {
    int http_status;
    RpcCode code;
  };
  const Row rows[] = {
      {400, kInternal},          {401, kUnauthenticated},   {403, kPermissionDenied},
      {404, kUnimplemented},     {405, kUnimplemented},     {408, kDeadlineExceeded},
      {413, kResourceExhausted}, {415, kUnimplemented},     {421, kPermissionDenied},
      {429, kUnavailable},       {431, kResourceExhausted}, {500, kUnknown},
      {501, kUnimplemented},     {503, kUnavailable},       {504, kUnavailable},
      {505, kUnimplemented},     {418, kUnknown},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(code_of_http_status(row.http_status), row.code) << row.http_status;
  }
}

}  // namespace
}  // namespace flagstone::net
