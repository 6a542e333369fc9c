#include "tests/bench/answer_reader.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace flagstone::bench {
namespace {

constexpr std::size_t kHeaderMaxBytes = 16 * 1024;

std::optional<std::size_t> content_length(std::string_view header) {
  constexpr std::string_view name = "content-length:";
  for (auto line = header.find("\r\n"); line != std::string_view::npos;
       line = header.find("\r\n", line + 2)) {
    std::string_view field = header.substr(line + 2);
    if (field.size() < name.size() || strncasecmp(field.data(), name.data(), name.size()) != 0)
      continue;
    field.remove_prefix(name.size());
    field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), length);
    if (error != std::errc() || end == field.data()) return std::nullopt;
    return length;
  }
  return std::nullopt;
}

// "HTTP/1.1 200 OK": the status is the three digits after the first space.
int status_of(std::string_view header) {
  constexpr std::size_t kStatusAt = 9;
  int status = 0;
  if (header.size() >= kStatusAt + 3)
    std::from_chars(header.data() + kStatusAt, header.data() + kStatusAt + 3, status);
  return status;
}

}  // namespace

std::expected<int, AnswerReader::Error> AnswerReader::feed(std::string_view bytes) {
  if (in_body_) return take_body(bytes);
  if (!partial_header_.empty()) {
    partial_header_.append(bytes);
    const std::string whole = std::move(partial_header_);
    partial_header_.clear();
    return feed(whole);
  }
  const auto end = bytes.find("\r\n\r\n");
  if (end != std::string_view::npos) return begin_body(bytes.substr(0, end), bytes.substr(end + 4));
  if (bytes.size() > kHeaderMaxBytes) return std::unexpected(Error::kHeaderTooLong);
  partial_header_ = bytes;
  return 0;
}

std::expected<int, AnswerReader::Error> AnswerReader::begin_body(std::string_view header,
                                                                 std::string_view after_header) {
  status_ = status_of(header);
  const auto length = content_length(header);
  if (!length) return std::unexpected(Error::kNoContentLength);
  body_left_bytes_ = *length;
  in_body_ = true;
  return take_body(after_header);
}

std::expected<int, AnswerReader::Error> AnswerReader::take_body(std::string_view bytes) {
  if (bytes.size() > body_left_bytes_) return std::unexpected(Error::kSurplus);
  body_left_bytes_ -= bytes.size();
  if (body_left_bytes_ > 0) return 0;
  in_body_ = false;
  return status_;
}

}  // namespace flagstone::bench
