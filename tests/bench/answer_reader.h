// Finds the end of HTTP/1.1 answers, by Content-Length or by their chunks, as they come in pieces.
// Owned by one connection of the load client, used by its one thread. A codec: it eats bytes and
// never touches a socket.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace flagstone::bench {

class AnswerReader {
 public:
  enum class Error {
    kHeaderTooLong,  // over 16 KiB without an end; a chunk's line or a trailer too
    kNoLength,       // neither a Content-Length nor chunks: the end could not be found
    kBadChunk,       // chunks that are none
    kSurplus,        // bytes after the one answer that was asked for
  };

  // Takes the next bytes; the answer's HTTP status when it ended with them, 0 when it goes on.
  std::expected<int, Error> feed(std::string_view bytes);

 private:
  enum class Part {
    kHeader,
    kBody,       // of a known length
    kChunkSize,  // the line before a chunk
    kChunk,      // its bytes
    kChunkEnd,   // the empty line after them
    kTrailer,    // the lines after the last chunk, to the empty one
  };

  std::expected<int, Error> take_header(std::string_view bytes);
  std::expected<int, Error> begin_body(std::string_view header, std::string_view after_header);
  std::expected<int, Error> take_body(std::string_view bytes);
  std::expected<int, Error> take_chunks(std::string_view bytes);
  std::expected<void, Error> take_line(std::string_view line);
  std::expected<int, Error> end(std::string_view bytes_after);

  std::string partial_;              // a header or a line whose end has not come yet
  std::size_t body_left_bytes_ = 0;  // or of the chunk
  int status_ = 0;
  Part part_ = Part::kHeader;
};

}  // namespace flagstone::bench
