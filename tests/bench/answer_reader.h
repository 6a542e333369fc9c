// Finds the end of HTTP/1.1 answers by Content-Length, as they come in pieces. Owned by one
// connection of the load client, used by its one thread. A codec: it eats bytes and never touches a
// socket.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace flagstone::bench {

class AnswerReader {
 public:
  enum class Error {
    kHeaderTooLong,    // over 16 KiB without an end
    kNoContentLength,  // the end could not be found
    kSurplus,          // bytes after the one answer that was asked for
  };

  // Takes the next bytes; the answer's HTTP status when it ended with them, 0 when it goes on.
  std::expected<int, Error> feed(std::string_view bytes);

 private:
  std::expected<int, Error> begin_body(std::string_view header, std::string_view after_header);
  std::expected<int, Error> take_body(std::string_view bytes);

  std::string partial_header_;
  std::size_t body_left_bytes_ = 0;
  int status_ = 0;
  bool in_body_ = false;
};

}  // namespace flagstone::bench
