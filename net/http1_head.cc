#include "net/http1_head.h"

#include <array>
#include <charconv>

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

void append_number(std::size_t number, std::string& out) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

// Values may come from an operator's or vendor's data: a line break in one would forge fields.
bool is_safe(std::string_view value) {
  for (const char c : value) {
    if (c == '\r' || c == '\n' || c == '\0') return false;
  }
  return true;
}

void append_field(std::string_view name, std::string_view value, std::string& out) {
  if (!is_safe(value)) return;
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

void append_http1_head(const Http1Head& head, std::string& out) {
  const std::string_view line = status_line(head.status);
  if (line.empty()) {
    out.append("HTTP/1.1 ");
    append_number(static_cast<std::size_t>(head.status), out);
    out.append(" \r\n");
  } else {
    out.append(line);
  }
  out.append(head.date_line);
  if (!head.content_type.empty()) append_field("Content-Type", head.content_type, out);
  for (const HeaderField& field : head.headers) append_field(field.name, field.value, out);
  if (head.content_length) {
    out.append("Content-Length: ");
    append_number(*head.content_length, out);
    out.append("\r\n");
  }
  if (head.chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (head.close) {
    out.append("Connection: close\r\n");
  } else if (head.says_keep_alive) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

}  // namespace flagstone::net
