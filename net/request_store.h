// The text of one request while it is read. Fields are kept as offsets, since the text moves as it
// grows.
//
// Owned by the session that reads the request, lent by SessionResources.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "net/request.h"

namespace flagstone::net {

struct RequestStore {
  struct Field {
    std::uint32_t name_begin = 0;
    std::uint32_t name_end = 0;
    std::uint32_t value_end = 0;  // the value begins where the name ends

    bool operator==(const Field&) const = default;
  };
  std::string text;  // HTTP/1: target, then names and values; HTTP/2: names and values
  std::string body;  // only of bodies that came in pieces
  std::vector<Field> fields;
  std::vector<HeaderField> views;  // of `fields`, once the text stands still

  std::size_t bytes() const {
    return text.capacity() + body.capacity() + fields.capacity() * sizeof(Field) +
           views.capacity() * sizeof(HeaderField);
  }
};

}  // namespace flagstone::net
