#include "net/rpc/request_message.h"

#include "net/ascii.h"
#include "net/base64.h"
#include "net/rpc/framing.h"
#include "net/rpc/timeout.h"

namespace flagstone::net {
namespace {

// A message so large is rare: its memory is given back when the next one comes.
constexpr std::size_t kScratchKeptBytes = 64 * 1024;

enum class Encoding : std::uint8_t { kIdentity, kGzip, kUnknown };

Encoding encoding_of(std::optional<std::string_view> field) {
  if (!field || field->empty() || equal_ignoring_case(*field, "identity")) {
    return Encoding::kIdentity;
  }
  return equal_ignoring_case(*field, "gzip") ? Encoding::kGzip : Encoding::kUnknown;
}

void trim(std::string& text) {
  text.clear();
  if (text.capacity() > kScratchKeptBytes) text.shrink_to_fit();
}

std::expected<std::string_view, RpcProblem> gunzip(std::string_view bytes, RpcScratch& scratch) {
  switch (scratch.gunzip.run(bytes, scratch.message_bytes_max, scratch.message)) {
    case Gunzip::Result::kDone:
      return scratch.message;
    case Gunzip::Result::kTooLarge:
      return std::unexpected(RpcProblem::kTooLarge);
    case Gunzip::Result::kMalformed:
      break;
  }
  return std::unexpected(RpcProblem::kBadGzip);
}

// The body is the message, and its compression HTTP's.
std::expected<std::string_view, RpcProblem> read_unframed(const Request& request,
                                                          RpcScratch& scratch) {
  const Encoding encoding = encoding_of(request.header("content-encoding"));
  if (encoding == Encoding::kUnknown) return std::unexpected(RpcProblem::kUnknownEncoding);
  if (request.body.size() > scratch.message_bytes_max) {
    return std::unexpected(RpcProblem::kTooLarge);
  }
  if (encoding == Encoding::kGzip && !request.body.empty()) return gunzip(request.body, scratch);
  return request.body;
}

std::expected<std::string_view, RpcProblem> read_framed(const Request& request,
                                                        RpcProtocol protocol, RpcScratch& scratch) {
  std::string_view body = request.body;
  if (protocol == RpcProtocol::kGrpcWebText) {
    if (!decode_base64(body, scratch.decoded)) return std::unexpected(RpcProblem::kBadBase64);
    scratch.decoded.reserve(scratch.decoded.size() + Request::kBodyPaddingBytes);
    body = scratch.decoded;
  }
  const auto frame = read_only_frame(body, scratch.message_bytes_max);
  if (!frame) return std::unexpected(frame.error());
  if (!frame->compressed) return frame->message;
  // Only a compressed message needs its encoding, so only then the field is looked at.
  const std::string_view field =
      protocol == RpcProtocol::kConnectStream ? "connect-content-encoding" : "grpc-encoding";
  switch (encoding_of(request.header(field))) {
    case Encoding::kGzip:
      return gunzip(frame->message, scratch);
    case Encoding::kIdentity:
      return std::unexpected(RpcProblem::kNoEncoding);
    case Encoding::kUnknown:
      break;
  }
  return std::unexpected(RpcProblem::kUnknownEncoding);
}

}  // namespace

std::expected<std::string_view, RpcProblem> read_request_message(const Request& request,
                                                                 const RpcContentType& type,
                                                                 RpcScratch& scratch) {
  trim(scratch.message);
  trim(scratch.decoded);
  auto message = is_framed(type.protocol) ? read_framed(request, type.protocol, scratch)
                                          : read_unframed(request, scratch);
  if (message && message->empty() && type.codec == RpcCodec::kJson) {
    return std::unexpected(RpcProblem::kEmptyJson);
  }
  return message;
}

std::expected<std::optional<std::int64_t>, RpcProblem> read_timeout_ms(const Request& request,
                                                                       RpcProtocol protocol) {
  const bool connect = is_connect(protocol);
  const auto field = request.header(connect ? "connect-timeout-ms" : "grpc-timeout");
  if (!field) return std::nullopt;
  const auto timeout_ms =
      connect ? parse_connect_timeout_ms(*field) : parse_grpc_timeout_ms(*field);
  if (!timeout_ms) return std::unexpected(RpcProblem::kBadTimeout);
  if (*timeout_ms == 0) return std::unexpected(RpcProblem::kTimeoutOver);
  return timeout_ms;
}

}  // namespace flagstone::net
