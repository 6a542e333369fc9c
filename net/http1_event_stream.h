// The api's end of an event stream over HTTP/1: detached from either side without harm to the
// other.
//
// Owned by the api. Inside net/ only.
#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include "net/event_stream.h"
#include "net/http1_session.h"

namespace flagstone::net {

class Http1EventStream final : public EventStream {
 public:
  // A null session: the stream is closed from the start (HEAD).
  explicit Http1EventStream(Http1Session* session) : session_(session) {}
  ~Http1EventStream() override {
    if (destroyed_ != nullptr) *destroyed_ = true;
    close();
  }

  bool send(std::string_view bytes) override {
    if (session_ == nullptr) return false;
    const bool taken = session_->stream_send(bytes);
    refused_ = refused_ || !taken;
    return taken;
  }
  // The chunks are made from the bytes at once: see http1_answer.cc.
  bool send_shared(std::shared_ptr<const std::string> bytes) override { return send(*bytes); }
  using EventStream::close;
  void close(std::span<const HeaderField> /*trailers*/) override {
    if (session_ == nullptr) return;
    std::exchange(session_, nullptr)->stream_closed_by_api();
  }
  bool open() const override { return session_ != nullptr; }
  void set_on_closed(std::move_only_function<void()> on_closed) override {
    on_closed_ = std::move(on_closed);
  }
  void set_on_drained(std::move_only_function<void()> on_drained) override {
    on_drained_ = std::move(on_drained);
  }

  // From the session. Both callbacks may destroy this object, so they are run from the stack.
  void lost() {
    session_ = nullptr;
    std::move_only_function<void()> on_closed = std::move(on_closed_);
    if (on_closed) on_closed();
  }
  void drained() {
    if (!refused_ || !on_drained_) return;
    refused_ = false;
    bool destroyed = false;
    destroyed_ = &destroyed;
    std::move_only_function<void()> on_drained = std::move(on_drained_);
    on_drained();
    if (destroyed) return;
    destroyed_ = nullptr;
    if (!on_drained_) on_drained_ = std::move(on_drained);
  }

 private:
  Http1Session* session_;
  bool refused_ = false;
  bool* destroyed_ = nullptr;  // while on_drained runs: its caller's flag
  std::move_only_function<void()> on_closed_;
  std::move_only_function<void()> on_drained_;
};

}  // namespace flagstone::net
