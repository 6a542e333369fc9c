// A Response that remembers what was sent, for handlers that are tested without a session.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/response.h"
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

 private:
  static std::string find(const std::vector<std::pair<std::string, std::string>>& fields,
                          std::string_view wanted) {
    for (const auto& [name, value] : fields) {
      if (name == wanted) return value;
    }
    return {};
  }
};

}  // namespace flagstone::net
