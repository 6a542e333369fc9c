#include "upstream/failure_of_status.h"

#include <array>
#include <charconv>

#include "net/percent.h"

namespace flagstone::upstream {
namespace {

using net::RpcCode;

constexpr int kCodes = 17;
constexpr std::size_t kMessageBytesMax = 256;  // Of what the other side says, in our log.

std::string_view name_of(RpcCode code) {
  static constexpr std::array<std::string_view, kCodes> kNames = {"OK",
                                                                  "CANCELLED",
                                                                  "UNKNOWN",
                                                                  "INVALID_ARGUMENT",
                                                                  "DEADLINE_EXCEEDED",
                                                                  "NOT_FOUND",
                                                                  "ALREADY_EXISTS",
                                                                  "PERMISSION_DENIED",
                                                                  "RESOURCE_EXHAUSTED",
                                                                  "FAILED_PRECONDITION",
                                                                  "ABORTED",
                                                                  "OUT_OF_RANGE",
                                                                  "UNIMPLEMENTED",
                                                                  "INTERNAL",
                                                                  "UNAVAILABLE",
                                                                  "DATA_LOSS",
                                                                  "UNAUTHENTICATED"};
  return kNames[static_cast<std::size_t>(code)];
}

// One line of printable ASCII.
std::string tamed(std::string_view text) {
  std::string decoded;
  if (!net::percent_decode(text, decoded)) decoded = text;
  if (decoded.size() > kMessageBytesMax) {
    decoded.resize(kMessageBytesMax);
    decoded += "...";
  }
  for (char& c : decoded) {
    if (c < ' ' || c > '~') c = '?';
  }
  return decoded;
}

}  // namespace

FailureKind failure_of_http_status(int status) {
  if (status == 401 || status == 403) return FailureKind::kUnauthorized;
  if (status == 404 || status == 410) return FailureKind::kNotFound;
  if (status == 429) return FailureKind::kRateLimited;
  if (status >= 500) return FailureKind::kServerError;
  return FailureKind::kHttpStatus;
}

FailureKind failure_of_grpc_status(RpcCode code) {
  switch (code) {
    case RpcCode::kUnauthenticated:
    case RpcCode::kPermissionDenied:
      return FailureKind::kUnauthorized;
    case RpcCode::kNotFound:
    case RpcCode::kUnimplemented:
      return FailureKind::kNotFound;
    case RpcCode::kResourceExhausted:
      return FailureKind::kRateLimited;
    case RpcCode::kDeadlineExceeded:
      return FailureKind::kTimeout;
    case RpcCode::kCanceled:
    case RpcCode::kUnknown:
    case RpcCode::kInternal:
    case RpcCode::kUnavailable:
    case RpcCode::kDataLoss:
    case RpcCode::kAborted:
      return FailureKind::kServerError;
    default:  // What we ask for is wrong: a bad selector, say.
      return FailureKind::kHttpStatus;
  }
}

RpcCode parse_grpc_status(std::string_view text) {
  int number = -1;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && stop == text.data() + text.size();
  if (!whole || number < 0 || number >= kCodes) return RpcCode::kUnknown;
  return static_cast<RpcCode>(number);
}

std::string grpc_status_sentence(RpcCode code, std::string_view message) {
  std::string sentence(name_of(code));
  if (!message.empty()) sentence += ": " + tamed(message);
  return sentence;
}

}  // namespace flagstone::upstream
