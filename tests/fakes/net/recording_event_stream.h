// An EventStream that remembers what it was sent, and refuses when told to.
//
// The test keeps the Record, the code under test the stream: so what happened is known after the
// stream is gone.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/event_stream.h"

namespace flagstone::net {

class RecordingEventStream final : public EventStream {
 public:
  struct Record {
    std::vector<std::string> sent;
    std::vector<std::shared_ptr<const std::string>> shared;  // those of `sent` that came shared
    std::vector<std::pair<std::string, std::string>> trailers;
    bool refusing = false;  // a slow reader
    bool open = true;
    bool closed_by_api = false;
    bool aborted = false;  // by the api, as not whole
    bool finite = false;
    bool destroyed = false;
    RecordingEventStream* stream = nullptr;

    std::string all() const {
      std::string text;
      for (const std::string& one : sent) text += one;
      return text;
    }
  };

  explicit RecordingEventStream(std::shared_ptr<Record> record) : record_(std::move(record)) {
    record_->stream = this;
  }
  ~RecordingEventStream() override {
    record_->destroyed = true;
    if (record_->finite) abort();
    record_->open = false;
    record_->stream = nullptr;
  }

  bool send(std::string_view bytes) override {
    if (!record_->open || record_->refusing) return false;
    record_->sent.emplace_back(bytes);
    return true;
  }
  bool send_shared(std::shared_ptr<const std::string> bytes) override {
    if (!send(*bytes)) return false;
    record_->shared.push_back(std::move(bytes));
    return true;
  }
  using EventStream::close;
  void close(std::span<const HeaderField> trailers) override {
    if (!record_->open) return;
    for (const auto& [name, value] : trailers) record_->trailers.emplace_back(name, value);
    record_->open = false;
    record_->closed_by_api = true;
  }
  void abort() override {
    if (!record_->open) return;
    record_->open = false;
    record_->aborted = true;
    // As a session: what a slow reader has not taken goes.
    if (record_->refusing) record_->shared.clear();
  }
  bool open() const override { return record_->open; }
  void set_finite() override { record_->finite = true; }
  void set_on_closed(std::move_only_function<void()> on_closed) override {
    on_closed_ = std::move(on_closed);
  }
  void set_on_drained(std::move_only_function<void()> on_drained) override {
    on_drained_ = std::move(on_drained);
  }

  // What a session does when the peer goes away or has caught up. Either callback may destroy this.
  void lose() {
    record_->open = false;
    auto on_closed = std::move(on_closed_);
    if (on_closed) on_closed();
  }
  void drain() {
    record_->refusing = false;
    const std::shared_ptr<Record> record = record_;
    auto on_drained = std::move(on_drained_);
    if (on_drained) on_drained();
    if (!record->destroyed && !on_drained_) on_drained_ = std::move(on_drained);
  }

 private:
  std::shared_ptr<Record> record_;
  std::move_only_function<void()> on_closed_;
  std::move_only_function<void()> on_drained_;
};

}  // namespace flagstone::net
