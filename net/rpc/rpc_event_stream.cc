#include "net/rpc/rpc_event_stream.h"

#include <array>
#include <string>
#include <utility>

#include "net/base64.h"
#include "net/rpc/framing.h"
#include "net/rpc/status_text.h"

namespace flagstone::net {

RpcEventStream::RpcEventStream(std::unique_ptr<EventStream> events, RpcProtocol protocol,
                               RpcCodec codec)
    : events_(std::move(events)), protocol_(protocol), codec_(codec) {
  events_->set_on_closed([this] { lost(); });
}

void RpcEventStream::end_after(Loop& loop, std::int64_t timeout_ms) {
  deadline_.emplace(loop, [this] { overdue(); });
  deadline_->start_once(timeout_ms);
}

bool RpcEventStream::send(std::string_view message) {
  std::string frame;
  frame.reserve((kFramePrefixBytes + message.size() + 2) / 3 * 4);  // enough for base64 as well
  append_frame(message, frame);
  if (protocol_ == RpcProtocol::kGrpcWebText) encode_base64_from(0, frame);
  return events_->send(frame);
}

bool RpcEventStream::send_shared(const std::shared_ptr<const RpcSharedMessage>& message) {
  if (protocol_ == RpcProtocol::kGrpcWebText) return send(message->message());
  return events_->send_shared(message->framed());
}

void RpcEventStream::close(RpcCode code, std::string_view message) {
  deadline_.reset();
  if (!events_->open()) return;
  std::string text;
  if (protocol_ == RpcProtocol::kGrpc) {
    append_grpc_message(message, text);
    const std::array<HeaderField, 2> trailers = {
        {{"grpc-status", grpc_status_text(code)}, {"grpc-message", text}}};
    events_->close({trailers.data(), text.empty() ? 1U : 2U});
    return;
  }
  if (protocol_ == RpcProtocol::kConnectStream) {
    append_connect_end(code, message, text);
  } else {
    append_web_trailers(code, message, text);
    if (protocol_ == RpcProtocol::kGrpcWebText) encode_base64_from(0, text);
  }
  (void)events_->send(text);  // a reader too slow even for this sees a stream cut: see call.h
  events_->close();
}

void RpcEventStream::set_on_closed(std::move_only_function<void()> on_closed) {
  on_closed_ = std::move(on_closed);
}

void RpcEventStream::set_on_drained(std::move_only_function<void()> on_drained) {
  events_->set_on_drained(std::move(on_drained));
}

// The callback may destroy this object, so it is run from the stack, and last.
void RpcEventStream::lost() {
  deadline_.reset();
  std::move_only_function<void()> on_closed = std::move(on_closed_);
  if (on_closed) on_closed();
}

void RpcEventStream::overdue() {
  close(RpcCode::kDeadlineExceeded, "the call's deadline has passed");
  lost();
}

}  // namespace flagstone::net
