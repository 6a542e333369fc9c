// What the header of a request that came before was found to mean: HTTP/1's and HTTP/2's caches
// keep such, for the requests that come with the very same header. A value.
#pragma once

#include <cstdint>
#include <string_view>

#include "net/request.h"
#include "net/request_store.h"

namespace flagstone::net {

struct KnownHeader {
  static constexpr std::size_t kBytesMax = 1024;
  static constexpr std::size_t kFieldsMax = 32;

  RequestStore store;  // its body is empty
  Request request;     // what the header says of it; views the store

  // What was read of a request, as a copy.
  void set(const Request& from_request, const RequestStore& from_store);
  // For a request that outlives handle(): `to` is made a copy of the store, the body apart, and
  // what `of_it` views of the store it views of the copy then.
  void copy_to(RequestStore& to, Request& of_it) const;
};

// Whoever finds two headers with one hash gains nothing: the bytes are compared.
std::uint64_t header_hash(std::string_view header);

}  // namespace flagstone::net
