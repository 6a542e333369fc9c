// A Response that remembers what was sent, for handlers that are tested without a session.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/response.h"
#include "tests/fakes/net/recording_deferral.h"
#include "tests/fakes/net/recording_event_stream.h"

namespace flagstone::net {

class RecordingResponse final : public Response {
 public:
  using Response::send;
  std::string& body() override { return text; }
  void send(int code, std::string_view type, std::span<const HeaderField> fields,
            std::span<const HeaderField> behind) override {
    ++sends;
    status = code;
    content_type = type;
    for (const auto& [name, value] : fields) headers.emplace_back(name, value);
    for (const auto& [name, value] : behind) trailers.emplace_back(name, value);
  }
  std::unique_ptr<EventStream> open_stream(int code, std::string_view type,
                                           std::span<const HeaderField> fields) override {
    send(code, type, fields, {});
    stream = std::make_shared<RecordingEventStream::Record>();
    return std::make_unique<RecordingEventStream>(stream);
  }

  std::unique_ptr<DeferredResponse> defer() override {
    text.clear();
    auto next = std::make_unique<RecordingResponse>();
    next->request = request;
    deferred = std::make_shared<RecordingDeferral::Record>(std::move(next));
    return std::make_unique<RecordingDeferral>(request, deferred);
  }

  // Empty when there is none.
  std::string header(std::string_view name) const { return find(headers, name); }
  std::string trailer(std::string_view name) const { return find(trailers, name); }

  int sends = 0;
  int status = 0;
  std::string content_type;
  std::string text;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::pair<std::string, std::string>> trailers;
  std::shared_ptr<RecordingEventStream::Record> stream;  // once one was opened
  std::shared_ptr<RecordingDeferral::Record> deferred;   // once it was deferred
  Request request;  // what a deferral is to have; the test sets it

 private:
  static std::string find(const std::vector<std::pair<std::string, std::string>>& fields,
                          std::string_view wanted) {
    for (const auto& [name, value] : fields) {
      if (name == wanted) return value;
    }
    return {};
  }
};

inline RecordingDeferral::Record::Record(std::unique_ptr<RecordingResponse> answered)
    : response(std::move(answered)) {}
inline RecordingDeferral::Record::~Record() = default;
inline Response& RecordingDeferral::response() { return *record_->response; }
inline bool RecordingDeferral::alive() const {
  const RecordingResponse& response = *record_->response;
  return !record_->gone && response.sends == 0 && response.deferred == nullptr;
}

}  // namespace flagstone::net
