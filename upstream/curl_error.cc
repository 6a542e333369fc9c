#include "upstream/curl_error.h"

#include <curl/curl.h>

#include <cerrno>

namespace flagstone::upstream {
namespace {

FailureKind kind_of(int code, bool answered, int system_error) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return FailureKind::kResolve;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_USE_SSL_FAILED:
      return FailureKind::kTls;
    case CURLE_OPERATION_TIMEDOUT:
      return FailureKind::kTimeout;
    case CURLE_PARTIAL_FILE:  // With HTTP/2 also when the connection ends before any answer.
      return answered ? FailureKind::kTruncated : FailureKind::kConnect;
    case CURLE_BAD_CONTENT_ENCODING:
      return FailureKind::kEncoding;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_URL_MALFORMAT:
    case CURLE_HTTP2:
      return FailureKind::kProtocol;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      // Nobody acknowledged what was sent, or the keep-alive probes: the peer is gone.
      if (system_error == ETIMEDOUT) return FailureKind::kTimeout;
      [[fallthrough]];
    default:  // Sockets: refused, reset, closed without a word.
      return answered ? FailureKind::kTruncated : FailureKind::kConnect;
  }
}

}  // namespace

HttpError curl_error(int code, std::string_view detail, bool answered, int system_error) {
  const std::string_view general = curl_easy_strerror(static_cast<CURLcode>(code));
  return {kind_of(code, answered, system_error), std::string(detail.empty() ? general : detail)};
}

}  // namespace flagstone::upstream
