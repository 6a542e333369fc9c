// A server stream's frames and end over the event stream that carries them. Inside net/rpc only.
//
// Owned by the api, the loop's thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "net/event_stream.h"
#include "net/rpc/call.h"
#include "net/timer.h"

namespace flagstone::net {

class RpcEventStream final : public RpcStream {
 public:
  RpcEventStream(std::unique_ptr<EventStream> events, RpcProtocol protocol, RpcCodec codec);

  // Once, before anything is sent.
  void end_after(Loop& loop, std::int64_t timeout_ms);

  RpcCodec codec() const override { return codec_; }
  bool send(std::string_view message) override;
  bool send_shared(const std::shared_ptr<const RpcSharedMessage>& message) override;
  void close(RpcCode code, std::string_view message) override;
  bool open() const override { return events_->open(); }
  void set_on_closed(std::move_only_function<void()> on_closed) override;
  void set_on_drained(std::move_only_function<void()> on_drained) override;

 private:
  void lost();
  void overdue();

  std::unique_ptr<EventStream> events_;
  RpcProtocol protocol_;
  RpcCodec codec_;
  std::optional<Timer> deadline_;
  std::move_only_function<void()> on_closed_;
};

}  // namespace flagstone::net
