#include "net/rpc/status.h"

#include <array>
#include <cstddef>

namespace flagstone::net {
namespace {

struct Row {
  std::string_view number;
  std::string_view name;
  int http_status;
};

// In the order of the codes.
constexpr std::array<Row, 17> kRows = {{
    {"0", "ok", 200},
    {"1", "canceled", 499},
    {"2", "unknown", 500},
    {"3", "invalid_argument", 400},
    {"4", "deadline_exceeded", 504},
    {"5", "not_found", 404},
    {"6", "already_exists", 409},
    {"7", "permission_denied", 403},
    {"8", "resource_exhausted", 429},
    {"9", "failed_precondition", 400},
    {"10", "aborted", 409},
    {"11", "out_of_range", 400},
    {"12", "unimplemented", 501},
    {"13", "internal", 500},
    {"14", "unavailable", 503},
    {"15", "data_loss", 500},
    {"16", "unauthenticated", 401},
}};

const Row& row_of(RpcCode code) { return kRows[static_cast<std::size_t>(code)]; }

}  // namespace

std::string_view grpc_status_text(RpcCode code) { return row_of(code).number; }

std::string_view connect_code_name(RpcCode code) { return row_of(code).name; }

int connect_http_status(RpcCode code) { return row_of(code).http_status; }

// As in grpc/doc/http-grpc-status-mapping.md, but exact where we refuse and it says UNKNOWN.
RpcCode code_of_http_status(int status) {
  switch (status) {
    case 400:
      return RpcCode::kInternal;
    case 401:
      return RpcCode::kUnauthenticated;
    case 403:
    case 421:
      return RpcCode::kPermissionDenied;
    case 404:
    case 405:
    case 415:
    case 501:
    case 505:
      return RpcCode::kUnimplemented;
    case 413:
    case 414:
    case 431:
      return RpcCode::kResourceExhausted;
    case 408:
      return RpcCode::kDeadlineExceeded;
    case 429:
    case 502:
    case 503:
    case 504:
      return RpcCode::kUnavailable;
    default:
      return RpcCode::kUnknown;
  }
}

}  // namespace flagstone::net
