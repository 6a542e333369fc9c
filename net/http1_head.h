// The head of an HTTP/1.1 answer, appended from prepared pieces. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/request.h"

namespace flagstone::net {

struct Http1Head {
  int status = 200;
  std::string_view date_line;  // with its line break
  std::string_view content_type;
  std::span<const HeaderField> headers;
  std::optional<std::size_t> content_length;
  bool chunked = false;
  bool close = false;            // says `Connection: close`
  bool says_keep_alive = false;  // to HTTP/1.0 peers, who would not expect it
};

void append_http1_head(const Http1Head& head, std::string& out);

}  // namespace flagstone::net
