// How long a caller waits, as gRPC and Connect write it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace flagstone::net {

// grpc-timeout: 1 to 8 digits and a unit (H, M, S, m, u, n). Milliseconds, rounded up. Nullopt when
// it is malformed.
std::optional<std::int64_t> parse_grpc_timeout_ms(std::string_view text);
// connect-timeout-ms: 1 to 10 digits.
std::optional<std::int64_t> parse_connect_timeout_ms(std::string_view text);

}  // namespace flagstone::net
