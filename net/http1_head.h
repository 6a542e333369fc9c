// The head of an HTTP/1.1 answer, appended from prepared pieces. Pure but for what it remembers.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/request.h"

namespace flagstone::net {

// How a head begins: its status line, Date and Content-Type. One answer's is mostly the next one's.
//
// Owned by SessionResources, the loop's thread only.
class Http1HeadBeginning {
 public:
  // With its line break. What was made with the one before is made anew.
  void set_date_line(std::string_view line);
  std::string_view date_line() const { return date_line_; }
  // Valid until the next call.
  std::string_view of(int status, std::string_view content_type);

 private:
  std::string date_line_;
  std::string content_type_;
  std::string text_;  // for this status and Content-Type; empty: for none
  int status_ = 0;
};

struct Http1Head {
  std::string_view beginning;
  std::span<const HeaderField> headers;
  std::optional<std::size_t> content_length;
  bool chunked = false;
  bool close = false;            // says `Connection: close`
  bool says_keep_alive = false;  // to HTTP/1.0 peers, who would not expect it
};

void append_http1_head(const Http1Head& head, std::string& out);

}  // namespace flagstone::net
