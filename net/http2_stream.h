// One request and its answer inside an HTTP/2 session.
//
// Owned by its session; between two requests it lies warm in Http2Shared. The loop's thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/http2_header_cache.h"
#include "net/http2_memory.h"
#include "net/request_store.h"
#include "net/session_deferral.h"

namespace flagstone::net {

class Http2Session;

// What waits to be said on a stream: first bytes of its own, then what many streams share, then the
// trailers. Nothing is copied before the peer's windows take it.
struct Http2Output {
  std::string bytes;
  std::size_t bytes_said = 0;
  std::shared_ptr<const std::string> shared;
  std::size_t shared_said = 0;
  std::string head_text;  // of the answer's fields, until nghttp2 has said them
  std::string trailer_text;
  std::vector<RequestStore::Field> trailers;
  bool ends = false;  // behind what is here

  std::size_t own_waiting() const { return bytes.size() - bytes_said; }
  std::size_t waiting() const {
    return own_waiting() + (shared ? shared->size() - shared_said : 0);
  }
  void append(std::string_view more);
  void add_trailers(std::span<const HeaderField> fields);
  // Appends `count` bytes of what waits and forgets them.
  void move_to(std::string& out, std::size_t count);
  // The answer's head apart, which nghttp2 may not have said yet.
  void drop_body();
  void clear();
};

struct Http2Stream final : public DeferralCarrier {
  // Of pseudo fields, in the store's text.
  struct Span {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };

  bool stream_send(std::string_view bytes) override;
  bool stream_send_shared(std::shared_ptr<const std::string> bytes) override;
  void stream_closed_by_api(std::span<const HeaderField> trailers) override;
  void stream_aborted_by_api() override;
  void send_deferred(std::string& body, int status, std::string_view content_type,
                     std::span<const HeaderField> headers,
                     std::span<const HeaderField> trailers) override;
  std::unique_ptr<EventStream> stream_deferred(std::string& body, int status,
                                               std::string_view content_type,
                                               std::span<const HeaderField> headers) override;
  void deferral_handed_on(SessionDeferral& to) override { deferral = &to; }
  void deferral_dropped() override;
  void reset();  // as new, but warm

  Http2Session* session = nullptr;
  std::size_t place = 0;  // in the session's list
  std::int32_t id = 0;
  std::uint32_t ordinal = 0;  // of the session's requests

  std::unique_ptr<RequestStore> store;  // while the request is read, if it needs one
  Http2KnownHeader* known = nullptr;    // likewise: what the header has been so far, or all of it
  std::uint32_t known_fields = 0;       // so many of that have come
  std::uint32_t pseudo_fields = 0;      // in the store
  Span method, path, authority;
  std::size_t header_bytes = 0;
  std::size_t body_bytes = 0;
  std::string_view body_in_place;  // of a body that came in one piece: where it was read
  int refusal_status = 0;          // found while the header was read
  const char* refusal_reason = nullptr;

  Http2Output output;
  std::size_t counted_own = 0;  // what the session's sums have of `output`
  std::size_t counted_waiting = 0;
  SessionEventStream* events = nullptr;  // owned by the api
  SessionDeferral* deferral = nullptr;   // owned by the api
  std::size_t deferred_body_bytes = 0;   // what the session's sums have of the deferral
  std::size_t deferred_other_bytes = 0;
  bool request_complete = false;  // the peer has said it all
  bool answered = false;          // what else comes of the request is read over
  bool deferred = false;          // nghttp2 waits to be told that there are bytes
};

// What the HTTP/2 sessions of one server share.
class Http2Shared {
 public:
  static constexpr std::size_t kStreamsKeptMax = 128;
  static constexpr std::size_t kStreamBytesKeptMax = 16 * 1024;

  std::unique_ptr<Http2Stream> take_stream();
  void give_back(std::unique_ptr<Http2Stream> stream);

  Http2HeaderCache known_headers;
  Http2MemoryPool memory;
  std::vector<nghttp2_nv> fields;  // while one answer's head or trailers are made

 private:
  std::vector<std::unique_ptr<Http2Stream>> free_;
};

}  // namespace flagstone::net
