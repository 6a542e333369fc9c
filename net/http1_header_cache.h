// Headers of requests that have come before, to the byte, and what they were found to mean. The
// digits of a Content-Length alone may differ: as many digits are as good a number.
//
// A client that keeps its connection sends the same header again and again. What llhttp and the
// checks behind it made of those very bytes they would make of them once more, so they are not
// asked again. Only whole headers that were accepted are remembered, and only where nothing but the
// bytes decides: HTTP/1.1, kept alive, framed by Content-Length or without a body. A header is
// remembered when it comes for the second time: those that never return (they carry a trace's
// number) cost a hash.
//
// One per server, shared by its connections, which are so no larger for it. Owned by
// SessionResources, the loop's thread only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/known_header.h"

namespace flagstone::net {

struct Http1KnownHeader final : KnownHeader {
  std::string bytes;  // to the end of the empty line
  std::size_t content_length = 0;
  std::size_t digits_begin = 0;  // of Content-Length, in the bytes
  std::size_t digits_size = 0;
  std::size_t digits_in_store = 0;
};

class Http1HeaderCache {
 public:
  static constexpr std::size_t kHeadersMax = 64;

  // The known header that `bytes` begin with, if any, with the Content-Length that they have. Valid
  // until the next call.
  const Http1KnownHeader* find(std::string_view bytes);
  // `bytes` are a header and what follows it; `request` and `store` what was read from it.
  void remember(std::string_view header, const Request& request, const RequestStore& store,
                std::size_t content_length);

 private:
  struct Slot {
    std::uint64_t seen = 0;  // the hash of the header that came last
    std::uint64_t hash = 0;
    std::unique_ptr<Http1KnownHeader> known;
  };
  // Where a header ends, and where its Content-Length stands. Empty: it is not for us.
  struct Outline {
    std::string_view front, digits, back;
  };
  static Outline outline_of(std::string_view bytes);
  static std::uint64_t hash_of(const Outline& outline);
  static bool set_length(Http1KnownHeader& known, std::string_view digits);

  std::array<Slot, kHeadersMax> slots_;
  Http1KnownHeader* last_ = nullptr;  // found
};

}  // namespace flagstone::net
