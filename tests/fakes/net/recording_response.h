// A Response that remembers what was sent, for handlers that are tested without a session.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "net/event_stream.h"
#include "net/response.h"

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
    send(code, type, fields);
    return nullptr;
  }

  int sends = 0;
  int status = 0;
  std::string content_type;
  std::string text;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::pair<std::string, std::string>> trailers;
};

}  // namespace flagstone::net
