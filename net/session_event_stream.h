// The api's end of an event stream, whatever the protocol: detached from either side without harm
// to the other.
//
// Owned by the api. Inside net/ only.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "net/event_stream.h"

namespace flagstone::net {

// The session's end: an HTTP/1 session, or one stream of an HTTP/2 session.
class EventStreamCarrier {
 public:
  virtual bool stream_send(std::string_view bytes) = 0;
  virtual bool stream_send_shared(std::shared_ptr<const std::string> bytes) = 0;
  // The carrier does not touch the SessionEventStream again.
  virtual void stream_closed_by_api(std::span<const HeaderField> trailers) = 0;
  virtual void stream_aborted_by_api() = 0;

 protected:
  ~EventStreamCarrier() = default;
};

class SessionEventStream final : public EventStream {
 public:
  // A null carrier: the stream is closed from the start (HEAD).
  explicit SessionEventStream(EventStreamCarrier* carrier) : carrier_(carrier) {}
  ~SessionEventStream() override {
    if (destroyed_ != nullptr) *destroyed_ = true;
    if (finite_) {
      abort();
    } else {
      close({});
    }
  }

  bool send(std::string_view bytes) override {
    if (carrier_ == nullptr) return false;
    return remember(carrier_->stream_send(bytes));
  }
  bool send_shared(std::shared_ptr<const std::string> bytes) override {
    if (carrier_ == nullptr) return false;
    return remember(carrier_->stream_send_shared(std::move(bytes)));
  }
  using EventStream::close;
  void close(std::span<const HeaderField> trailers) override {
    if (carrier_ == nullptr) return;
    std::exchange(carrier_, nullptr)->stream_closed_by_api(trailers);
  }
  void abort() override {
    if (carrier_ == nullptr) return;
    std::exchange(carrier_, nullptr)->stream_aborted_by_api();
  }
  bool open() const override { return carrier_ != nullptr; }
  void set_finite() override { finite_ = true; }
  bool is_finite() const { return finite_; }
  void set_on_closed(std::move_only_function<void()> on_closed) override {
    on_closed_ = std::move(on_closed);
  }
  void set_on_drained(std::move_only_function<void()> on_drained) override {
    on_drained_ = std::move(on_drained);
  }

  // From the session. Both callbacks may destroy this object, so they are run from the stack.
  void lost() {
    carrier_ = nullptr;
    std::move_only_function<void()> on_closed = std::move(on_closed_);
    if (on_closed) on_closed();
  }
  bool refused() const { return refused_; }
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
  bool remember(bool taken) {
    refused_ = refused_ || !taken;
    return taken;
  }

  EventStreamCarrier* carrier_;
  bool refused_ = false;
  bool finite_ = false;
  bool* destroyed_ = nullptr;  // while on_drained runs: its caller's flag
  std::move_only_function<void()> on_closed_;
  std::move_only_function<void()> on_drained_;
};

}  // namespace flagstone::net
