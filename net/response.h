// Where a handler puts its answer.
//
// Owned by the session, valid during Handler::handle(). Exactly one of send(), open_stream() and
// defer() is called, once; a handler that returns without any has a bug: debug builds assert,
// others answer 500.
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/request.h"

namespace flagstone::net {

class DeferredResponse;
class EventStream;

class Response {
 public:
  virtual ~Response() = default;

  // Empty at the start; append to it. The loop's own buffer, so appending allocates nothing once
  // warm.
  virtual std::string& body() = 0;

  // Content-Length, Date, Connection and Content-Type (unless empty) are written here; HEAD, 204
  // and 304 go without the body. A field whose value contains a line break or NUL is left out.
  // Trailers go out behind the body over HTTP/2 (Content-Length is then left out) and are dropped
  // over HTTP/1, which no client of ours reads them from. An empty body without trailers is an
  // answer of one HEADERS frame over HTTP/2 (gRPC's "Trailers-Only").
  virtual void send(int status, std::string_view content_type, std::span<const HeaderField> headers,
                    std::span<const HeaderField> trailers) = 0;
  void send(int status, std::string_view content_type, std::span<const HeaderField> headers) {
    send(status, content_type, headers, {});
  }
  void send(int status, std::string_view content_type,
            std::initializer_list<HeaderField> headers = {}) {
    send(status, content_type, std::span<const HeaderField>(headers.begin(), headers.size()), {});
  }

  // What body() holds goes out first. For HEAD there is no stream: the head goes out and the stream
  // that comes back is closed already.
  [[nodiscard]] virtual std::unique_ptr<EventStream> open_stream(
      int status, std::string_view content_type, std::span<const HeaderField> headers = {}) = 0;

  // The answer comes in a later turn, and what body() holds is forgotten. Not inside
  // Handler::refuse(). See net/deferred_response.h.
  [[nodiscard]] virtual std::unique_ptr<DeferredResponse> defer() = 0;
};

}  // namespace flagstone::net
