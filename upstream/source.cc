#include "upstream/source.h"

#include <array>

namespace flagstone::upstream {

std::string_view failure_kind_name(FailureKind kind) {
  static constexpr std::array<std::string_view, kFailureKindCount> kNames = {
      "resolve",     "connect",      "tls",        "timeout",      "slow",
      "truncated",   "unauthorized", "not_found",  "rate_limited", "server_error",
      "http_status", "redirect",     "protocol",   "too_large",    "encoding",
      "malformed",   "missing",      "unreadable", "credential"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace flagstone::upstream
