// One remote procedure call as its api sees it, whichever protocol carries it: gRPC (HTTP/2),
// gRPC-Web (binary and text), Connect (unary and server streaming; JSON or protobuf).
//
// An RpcCall lives on the stack during Handler::handle() and borrows the request, the response and
// the scratch. The protocol is told by the Content-Type; every call has one request message and
// answers one message or a stream of them. The api decodes and encodes messages by codec() and
// knows nothing of framing, trailers or envelopes.
//
//   void Evaluation::resolve_boolean(const net::Request& request, std::string_view,
//                                    net::Response& response) {
//     auto call = net::RpcCall::begin(net::RpcKind::kUnary, request, response, rpc_scratch_);
//     if (!call) return;                    // refused, and the refusal is sent
//     … call->message() … call->reply().append(…) …
//     call->send();                         // or call->fail(net::RpcCode::kNotFound, "flag `x` …")
//   }
//
// A unary call allocates nothing in the steady state. Sources: grpc/doc/PROTOCOL-HTTP2.md,
// grpc/doc/PROTOCOL-WEB.md, connectrpc.com/docs/protocol.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/deferred_response.h"
#include "net/event_stream.h"
#include "net/handler.h"
#include "net/request.h"
#include "net/response.h"
#include "net/rpc/content_type.h"
#include "net/rpc/request_message.h"
#include "net/rpc/status.h"

namespace flagstone::net {

class Loop;

// A message that many streams send, framed once. Immutable; any thread.
class RpcSharedMessage {
 public:
  static std::shared_ptr<const RpcSharedMessage> make(std::string_view message);
  std::string_view message() const;  // without the prefix
  const std::shared_ptr<const std::string>& framed() const { return framed_; }

 private:
  std::shared_ptr<const std::string> framed_;  // flags, length, message: equal in all protocols
};

// A server stream that has begun. Owned by the api, the loop's thread only. Destroying it cuts the
// answer without a status; close() ends it properly.
class RpcStream {
 public:
  virtual ~RpcStream() = default;

  virtual RpcCodec codec() const = 0;
  // All or nothing, as EventStream::send().
  [[nodiscard]] virtual bool send(std::string_view message) = 0;
  // As EventStream::send_shared(): no copy per stream (but for gRPC-Web text, which encodes).
  [[nodiscard]] virtual bool send_shared(
      const std::shared_ptr<const RpcSharedMessage>& message) = 0;
  // Ends the stream with a status; what was sent still goes out. on_closed does not run after it.
  // In gRPC-Web and Connect the status is a message itself: a reader who is too slow to be sent one
  // more sees the answer end without it.
  virtual void close(RpcCode code, std::string_view message) = 0;
  virtual bool open() const = 0;

  // The peer went away or its grpc-timeout passed (the stream has then told DEADLINE_EXCEEDED by
  // itself). The callback may destroy the stream.
  virtual void set_on_closed(std::move_only_function<void()> on_closed) = 0;
  // After a refused send: the reader has caught up. The callback may destroy the stream.
  virtual void set_on_drained(std::move_only_function<void()> on_drained) = 0;
};

class RpcCall {
 public:
  // Nullopt when the request is no proper call; the refusal is sent in its protocol's manner
  // (gRPC over HTTP/1: 505; unknown Content-Type: 415; message too large, compressed in an unknown
  // way, cut, more than one: the protocol's status).
  static std::optional<RpcCall> begin(RpcKind kind, const Request& request, Response& response,
                                      RpcScratch& scratch);

  RpcProtocol protocol() const { return protocol_; }
  RpcCodec codec() const { return codec_; }
  // The request's message, decompressed. Request::kBodyPaddingBytes behind it may be read.
  std::string_view message() const { return message_; }
  // From grpc-timeout or connect-timeout-ms; of a call begun anew it is the same again.
  std::optional<std::int64_t> timeout_ms() const { return timeout_ms_; }

  // Unary: append the answer's message, then send(). Only append: framed protocols' prefix stands
  // at the front already.
  std::string& reply() { return response_->body(); }
  void send();
  // Unary or stream, instead of an answer. `reply()` is dropped. The message is for people.
  void fail(RpcCode code, std::string_view message);
  // The answer comes in a later turn: the handler is then run again from the top, with the request
  // and response of the deferral, and begins its call anew. This one is over, its message gone.
  [[nodiscard]] std::unique_ptr<DeferredResponse> defer() { return response_->defer(); }
  // Server streams: the head goes out at once. Deadlines are kept by a timer on `loop`.
  [[nodiscard]] std::unique_ptr<RpcStream> open_stream(Loop& loop);

  // For Router::set_refusals: a refusal in the manner of the request's protocol, text for others.
  static void refuse(const Refusal& refusal, const Request& request, Response& response);

 private:
  RpcCall(Response& response, RpcScratch& scratch, const RpcContentType& type)
      : response_(&response),
        scratch_(&scratch),
        content_type_(type.text),
        protocol_(type.protocol),
        codec_(type.codec) {}

  std::expected<void, RpcProblem> read(const Request& request);
  void refuse(RpcProblem problem);
  void fail(RpcCode code, std::string_view message, std::span<const HeaderField> headers);

  Response* response_;
  RpcScratch* scratch_;
  std::string_view message_;
  std::string_view content_type_;  // the answer's
  std::optional<std::int64_t> timeout_ms_;
  RpcProtocol protocol_;
  RpcCodec codec_;
};

}  // namespace flagstone::net
