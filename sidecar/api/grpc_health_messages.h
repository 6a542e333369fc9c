// The two messages of grpc.health.v1: as protobuf and as its JSON. Pure.
//
// By hand, since each has one field. Source: grpc/src/proto/grpc/health/v1/health.proto.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/rpc/call.h"

namespace flagstone::sidecar {

enum class HealthStatus : std::uint8_t {
  kUnknown = 0,
  kServing = 1,
  kNotServing = 2,
  kServiceUnknown = 3,
};

// HealthCheckRequest.service; unknown fields are skipped. Nullopt when it is malformed.
std::optional<std::string> read_health_request(std::string_view message, net::RpcCodec codec);
// Appends a HealthCheckResponse.
void append_health_response(HealthStatus status, net::RpcCodec codec, std::string& out);

}  // namespace flagstone::sidecar
