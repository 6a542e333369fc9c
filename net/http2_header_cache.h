// Headers of HTTP/2 requests that have come before, field by field, and what they were found to
// mean.
//
// A client that calls the same method again and again sends the same fields. While the fields of a
// header that is being received are those of a known one, none is copied, and when it ends where
// the known one ends, it means what that meant. nghttp2 has checked each field by then, as always.
// A header is remembered when it comes for the second time.
//
// One per server, in Http2Shared. The loop's thread only. Streams hold what they are read with by
// `users`: as long as it is not 0, the header stays.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "net/known_header.h"

namespace flagstone::net {

// The store has all fields, pseudo fields as well, as they came.
struct Http2KnownHeader final : KnownHeader {
  bool has(std::size_t at, std::string_view name, std::string_view value) const;
  HeaderField field(std::size_t at) const;

  std::uint32_t users = 0;
};

class Http2HeaderCache {
 public:
  static constexpr std::size_t kHeadersMax = 16;

  // What the next header is compared with first; may be null.
  Http2KnownHeader* first() const { return last_; }
  void found(Http2KnownHeader& header) { last_ = &header; }
  // One that is as `like` before field number `at`, and has this field there.
  Http2KnownHeader* find_like(const Http2KnownHeader& like, std::size_t at, std::string_view name,
                              std::string_view value) const;
  // The store as Http2KnownHeader has it.
  void remember(const Request& request, const RequestStore& store);

 private:
  struct Slot {
    std::uint64_t seen = 0;  // the hash of the header that came last
    std::unique_ptr<Http2KnownHeader> known;
  };
  std::array<Slot, kHeadersMax> slots_;
  Http2KnownHeader* last_ = nullptr;
};

}  // namespace flagstone::net
