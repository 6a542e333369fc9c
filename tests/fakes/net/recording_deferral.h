// A DeferredResponse that remembers what was sent, for handlers that are tested without a session.
//
// The test keeps the Record, the code under test the deferral: so what happened is known after the
// deferral is gone.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "net/deferred_response.h"

namespace flagstone::net {

class RecordingResponse;

class RecordingDeferral final : public DeferredResponse {
 public:
  struct Record {
    explicit Record(std::unique_ptr<RecordingResponse> answered);
    ~Record();

    std::unique_ptr<RecordingResponse> response;
    RecordingDeferral* deferral = nullptr;  // while it lives
    bool gone = false;
  };

  // The request's views have to outlive this.
  RecordingDeferral(const Request& request, std::shared_ptr<Record> record)
      : request_(request), record_(std::move(record)) {
    record_->deferral = this;
  }
  ~RecordingDeferral() override { record_->deferral = nullptr; }

  const Request& request() const override { return request_; }
  Response& response() override;
  bool alive() const override;
  void set_on_gone(std::move_only_function<void()> on_gone) override {
    on_gone_ = std::move(on_gone);
  }

  // What a session does when the peer goes away. The callback may destroy this.
  void lose() {
    record_->gone = true;
    auto on_gone = std::move(on_gone_);
    if (on_gone) on_gone();
  }

 private:
  Request request_;
  std::shared_ptr<Record> record_;
  std::move_only_function<void()> on_gone_;
};

}  // namespace flagstone::net
