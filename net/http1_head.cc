#include "net/http1_head.h"

#include <charconv>
#include <cstring>

#include "net/field_value.h"
#include "net/same_bytes.h"

namespace flagstone::net {
namespace {

// Up to and with the line break; empty for statuses that we have no words for.
std::string_view status_line(int status) {
  switch (status) {
    case 200:
      return "HTTP/1.1 200 OK\r\n";
    case 201:
      return "HTTP/1.1 201 Created\r\n";
    case 202:
      return "HTTP/1.1 202 Accepted\r\n";
    case 204:
      return "HTTP/1.1 204 No Content\r\n";
    case 304:
      return "HTTP/1.1 304 Not Modified\r\n";
    case 400:
      return "HTTP/1.1 400 Bad Request\r\n";
    case 401:
      return "HTTP/1.1 401 Unauthorized\r\n";
    case 403:
      return "HTTP/1.1 403 Forbidden\r\n";
    case 404:
      return "HTTP/1.1 404 Not Found\r\n";
    case 405:
      return "HTTP/1.1 405 Method Not Allowed\r\n";
    case 406:
      return "HTTP/1.1 406 Not Acceptable\r\n";
    case 408:
      return "HTTP/1.1 408 Request Timeout\r\n";
    case 413:
      return "HTTP/1.1 413 Content Too Large\r\n";
    case 414:
      return "HTTP/1.1 414 URI Too Long\r\n";
    case 415:
      return "HTTP/1.1 415 Unsupported Media Type\r\n";
    case 417:
      return "HTTP/1.1 417 Expectation Failed\r\n";
    case 421:
      return "HTTP/1.1 421 Misdirected Request\r\n";
    case 429:
      return "HTTP/1.1 429 Too Many Requests\r\n";
    case 431:
      return "HTTP/1.1 431 Request Header Fields Too Large\r\n";
    case 500:
      return "HTTP/1.1 500 Internal Server Error\r\n";
    case 501:
      return "HTTP/1.1 501 Not Implemented\r\n";
    case 503:
      return "HTTP/1.1 503 Service Unavailable\r\n";
    case 505:
      return "HTTP/1.1 505 HTTP Version Not Supported\r\n";
    default:
      return {};
  }
}

// Puts pieces one after the other into room that was made for all of them, so that a head costs
// one check of the buffer and not one per piece.
class Pieces {
 public:
  explicit Pieces(char* at) : at_(at) {}
  Pieces& operator<<(std::string_view piece) {
    // An empty view may point nowhere, which memcpy must not be given.
    if (!piece.empty()) std::memcpy(at_, piece.data(), piece.size());
    at_ += piece.size();
    return *this;
  }
  Pieces& operator<<(std::size_t number) {
    at_ = std::to_chars(at_, at_ + kDigitsMax, number).ptr;
    return *this;
  }
  void add_field(std::string_view name, std::string_view value) {
    if (is_safe_field_value(value)) *this << name << ": " << value << "\r\n";
  }
  char* end() const { return at_; }

  static constexpr std::ptrdiff_t kDigitsMax = 20;

 private:
  char* at_;
};

// More than all that is written between the views of one head, and around those of one field.
constexpr std::size_t kFrameBytes = 256;
constexpr std::size_t kFieldFrameBytes = 4;

std::size_t room_for(const Http1Head& head) {
  std::size_t room = kFrameBytes + head.beginning.size();
  for (const HeaderField& field : head.headers) {
    room += field.name.size() + field.value.size() + kFieldFrameBytes;
  }
  return room;
}

char* write_head(const Http1Head& head, char* at) {
  Pieces pieces(at);
  pieces << head.beginning;
  for (const HeaderField& field : head.headers) pieces.add_field(field.name, field.value);
  if (head.content_length) pieces << "Content-Length: " << *head.content_length << "\r\n";
  if (head.chunked) pieces << "Transfer-Encoding: chunked\r\n";
  if (head.close) {
    pieces << "Connection: close\r\n";
  } else if (head.says_keep_alive) {
    pieces << "Connection: keep-alive\r\n";
  }
  pieces << "\r\n";
  return pieces.end();
}

// A type that is not safe is left out.
void append_beginning(int status, std::string_view date_line, std::string_view content_type,
                      std::string& out) {
  const std::string_view line = status_line(status);
  if (line.empty()) {
    out.append("HTTP/1.1 ").append(std::to_string(status)).append(" \r\n");
  } else {
    out.append(line);
  }
  out.append(date_line);
  if (content_type.empty() || !is_safe_field_value(content_type)) return;
  out.append("Content-Type: ").append(content_type).append("\r\n");
}

}  // namespace

void Http1HeadBeginning::set_date_line(std::string_view line) {
  if (line == date_line_) return;
  date_line_ = line;
  text_.clear();
}

std::string_view Http1HeadBeginning::of(int status, std::string_view content_type) {
  if (!text_.empty() && status == status_ && same_bytes(content_type, content_type_)) return text_;
  text_.clear();
  append_beginning(status, date_line_, content_type, text_);
  status_ = status;
  content_type_ = content_type;
  return text_;
}

void append_http1_head(const Http1Head& head, std::string& out) {
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + room_for(head), [&](char* bytes, std::size_t) {
    return static_cast<std::size_t>(write_head(head, bytes + before) - bytes);
  });
}

}  // namespace flagstone::net
