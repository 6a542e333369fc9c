#include "net/rpc/call.h"

#include <array>

#include "net/base64.h"
#include "net/rpc/framing.h"
#include "net/rpc/rpc_event_stream.h"
#include "net/rpc/status_text.h"

namespace flagstone::net {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kEncodings = "identity, gzip";

void refuse_content_type(RpcKind kind, Response& response) {
  response.body() = "this Content-Type is not understood here: see Accept-Post\n";
  response.send(415, kText, {{"Accept-Post", accepted_content_types(kind)}});
}

// What no protocol has a status for. False: nothing of the kind.
bool refuse_as_http(const Request& request, RpcProtocol protocol, Response& response) {
  if (request.method != Method::kPost) {
    response.body() = "calls are made by POST\n";
    response.send(405, kText, {{"Allow", "POST"}});
    return true;
  }
  if (protocol == RpcProtocol::kGrpc && request.version != HttpVersion::k2) {
    response.body() = "gRPC needs HTTP/2; over HTTP/1.1 gRPC-Web and Connect are served\n";
    response.send(505, kText);
    return true;
  }
  return false;
}

}  // namespace

std::optional<RpcCall> RpcCall::begin(RpcKind kind, const Request& request, Response& response,
                                      RpcScratch& scratch) {
  const RpcContentType* type =
      find_rpc_content_type(request.header("content-type").value_or(std::string_view()));
  if (type == nullptr || !carries(type->protocol, kind)) {
    refuse_content_type(kind, response);
    return std::nullopt;
  }
  if (refuse_as_http(request, type->protocol, response)) return std::nullopt;
  RpcCall call(response, scratch, *type);
  if (const auto read = call.read(request); !read) {
    call.refuse(read.error());
    return std::nullopt;
  }
  if (kind == RpcKind::kUnary && is_framed(type->protocol)) begin_frame(response.body());
  return call;
}

std::expected<void, RpcProblem> RpcCall::read(const Request& request) {
  if (is_connect(protocol_) && request.header("connect-protocol-version").value_or("1") != "1") {
    return std::unexpected(RpcProblem::kUnknownVersion);
  }
  const auto timeout_ms = read_timeout_ms(request, protocol_);
  if (!timeout_ms) return std::unexpected(timeout_ms.error());
  timeout_ms_ = *timeout_ms;
  const auto message = read_request_message(request, {content_type_, protocol_, codec_}, *scratch_);
  if (!message) return std::unexpected(message.error());
  message_ = *message;
  return {};
}

void RpcCall::refuse(RpcProblem problem) {
  const auto [code, text] = describe(problem, protocol_);
  if (problem != RpcProblem::kUnknownEncoding) return fail(code, text);
  const std::string_view name = protocol_ == RpcProtocol::kConnectUnary ? "accept-encoding"
                                : protocol_ == RpcProtocol::kConnectStream
                                    ? "connect-accept-encoding"
                                    : "grpc-accept-encoding";
  const HeaderField accepted{name, kEncodings};
  fail(code, text, {&accepted, 1});
}

void RpcCall::send() {
  std::string& body = reply();
  if (protocol_ == RpcProtocol::kConnectUnary) return response_->send(200, content_type_);
  end_frame(0, 0, body);
  if (protocol_ == RpcProtocol::kGrpc) {
    static constexpr HeaderField kOkTrailer{"grpc-status", "0"};
    response_->send(200, content_type_, {}, {&kOkTrailer, 1});
    return;
  }
  append_web_trailers(RpcCode::kOk, {}, body);
  if (protocol_ == RpcProtocol::kGrpcWebText) encode_base64_from(0, body);
  response_->send(200, content_type_);
}

void RpcCall::fail(RpcCode code, std::string_view message) { fail(code, message, {}); }

void RpcCall::fail(RpcCode code, std::string_view message, std::span<const HeaderField> headers) {
  std::string& body = reply();
  body.clear();
  switch (protocol_) {
    case RpcProtocol::kGrpc: {
      scratch_->text.clear();
      append_grpc_message(message, scratch_->text);
      std::array<HeaderField, 3> fields = {
          {{"grpc-status", grpc_status_text(code)}, {"grpc-message", scratch_->text}, {}}};
      if (!headers.empty()) fields[2] = headers[0];
      response_->send(200, content_type_, std::span(fields).first(headers.empty() ? 2U : 3U), {});
      return;
    }
    case RpcProtocol::kGrpcWeb:
    case RpcProtocol::kGrpcWebText:
      append_web_trailers(code, message, body);
      if (protocol_ == RpcProtocol::kGrpcWebText) encode_base64_from(0, body);
      response_->send(200, content_type_, headers);
      return;
    case RpcProtocol::kConnectUnary:
      append_connect_error(code, message, body);
      response_->send(connect_http_status(code), kJson, headers);
      return;
    case RpcProtocol::kConnectStream:
      append_connect_end(code, message, body);
      response_->send(200, content_type_, headers);
      return;
  }
}

std::unique_ptr<RpcStream> RpcCall::open_stream(Loop& loop) {
  reply().clear();
  auto stream = std::make_unique<RpcEventStream>(response_->open_stream(200, content_type_),
                                                 protocol_, codec_);
  if (timeout_ms_) stream->end_after(loop, *timeout_ms_);
  return stream;
}

void RpcCall::refuse(const Refusal& refusal, const Request& request, Response& response) {
  const RpcContentType* type =
      find_rpc_content_type(request.header("content-type").value_or(std::string_view()));
  const bool has_manner = type != nullptr && (type->protocol != RpcProtocol::kGrpc ||
                                              request.version == HttpVersion::k2);
  if (!has_manner) return refuse_as_text(refusal, response);
  const RpcCode code = code_of_http_status(refusal.status);
  if (is_connect(type->protocol)) {
    response.body().clear();
    append_connect_error(code, refusal.reason, response.body());
    // Too much of something has one status in Connect, whoever finds it.
    const bool exhausted = code == RpcCode::kResourceExhausted;
    response.send(exhausted ? connect_http_status(code) : refusal.status, kJson, refusal.headers);
    return;
  }
  RpcScratch scratch;
  RpcCall(response, scratch, *type).fail(code, refusal.reason);
}

}  // namespace flagstone::net
