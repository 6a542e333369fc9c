#include "sidecar/api/grpc_health_messages.h"

#include <array>

#include <simdjson.h>

namespace flagstone::sidecar {
namespace {

// Takes a varint from the front of `bytes`.
std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  constexpr unsigned kBitsMax = 70;  // ten bytes of seven
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < kBitsMax && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (shift < 64) value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

// Takes a field's payload of the wire type: of the length-delimited its bytes, of others nothing.
std::optional<std::string_view> take_payload(unsigned wire_type, std::string_view& bytes) {
  std::uint64_t length = 0;
  switch (wire_type) {
    case 0:
      if (!take_varint(bytes)) return std::nullopt;
      return std::string_view();
    case 1:
      length = 8;
      break;
    case 2: {
      const auto told = take_varint(bytes);
      if (!told) return std::nullopt;
      length = *told;
      break;
    }
    case 5:
      length = 4;
      break;
    default:
      return std::nullopt;
  }
  if (length > bytes.size()) return std::nullopt;
  const std::string_view payload = bytes.substr(0, length);
  bytes.remove_prefix(length);
  return payload;
}

std::optional<std::string> read_proto(std::string_view bytes) {
  constexpr std::uint64_t kServiceTag = 1 << 3 | 2;
  std::string service;
  while (!bytes.empty()) {
    const auto tag = take_varint(bytes);
    if (!tag || *tag >> 3 == 0) return std::nullopt;
    const auto payload = take_payload(static_cast<unsigned>(*tag & 7), bytes);
    if (!payload) return std::nullopt;
    if (*tag == kServiceTag) service = *payload;
  }
  return service;
}

std::optional<std::string> read_json(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  // The parser copies, so it needs no padding of ours.
  if (parser.parse(text.data(), text.size()).get(object) != simdjson::SUCCESS) return std::nullopt;
  const auto member = object["service"];
  if (member.error() == simdjson::NO_SUCH_FIELD || member.is_null()) return std::string();
  std::string_view service;
  if (member.get(service) != simdjson::SUCCESS) return std::nullopt;
  return std::string(service);
}

}  // namespace

std::optional<std::string> read_health_request(std::string_view message, net::RpcCodec codec) {
  return codec == net::RpcCodec::kJson ? read_json(message) : read_proto(message);
}

void append_health_response(HealthStatus status, net::RpcCodec codec, std::string& out) {
  static constexpr std::array<std::string_view, 4> kNames = {"UNKNOWN", "SERVING", "NOT_SERVING",
                                                             "SERVICE_UNKNOWN"};
  if (codec == net::RpcCodec::kJson) {
    out.append(R"({"status":")").append(kNames[static_cast<std::size_t>(status)]).append("\"}");
    return;
  }
  if (status == HealthStatus::kUnknown) return;  // what is zero is not written
  out.push_back(1 << 3);
  out.push_back(static_cast<char>(status));
}

}  // namespace flagstone::sidecar
