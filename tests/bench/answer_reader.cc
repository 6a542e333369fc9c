#include "tests/bench/answer_reader.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace flagstone::bench {
namespace {

constexpr std::size_t kHeaderBytesMax = 16 * 1024;

// The value of the header's field of that name, spelt in any case; nothing without one.
std::optional<std::string_view> value_of(std::string_view header, std::string_view name) {
  for (auto line = header.find("\r\n"); line != std::string_view::npos;
       line = header.find("\r\n", line + 2)) {
    std::string_view field = header.substr(line + 2);
    if (field.size() <= name.size() || field[name.size()] != ':' ||
        strncasecmp(field.data(), name.data(), name.size()) != 0)
      continue;
    field = field.substr(0, field.find("\r\n")).substr(name.size() + 1);
    field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
    return field;
  }
  return std::nullopt;
}

// The number that `text` begins with, and nothing but `after` may follow it.
std::optional<std::size_t> number_of(std::string_view text, int base, std::string_view after) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty() && after.find(text.front()) == std::string_view::npos) return std::nullopt;
  return number;
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
  switch (part_) {
    case Part::kHeader:
      return take_header(bytes);
    case Part::kBody:
      return take_body(bytes);
    default:
      return take_chunks(bytes);
  }
}

std::expected<int, AnswerReader::Error> AnswerReader::take_header(std::string_view bytes) {
  if (!partial_.empty()) {
    partial_.append(bytes);
    const std::string whole = std::move(partial_);
    partial_.clear();
    return take_header(whole);
  }
  const auto end = bytes.find("\r\n\r\n");
  if (end != std::string_view::npos) return begin_body(bytes.substr(0, end), bytes.substr(end + 4));
  if (bytes.size() > kHeaderBytesMax) return std::unexpected(Error::kHeaderTooLong);
  partial_ = bytes;
  return 0;
}

std::expected<int, AnswerReader::Error> AnswerReader::begin_body(std::string_view header,
                                                                 std::string_view after_header) {
  status_ = status_of(header);
  if (value_of(header, "transfer-encoding") == "chunked") {
    part_ = Part::kChunkSize;
    return take_chunks(after_header);
  }
  const auto length = value_of(header, "content-length");
  const auto length_bytes = length ? number_of(*length, 10, " ") : std::nullopt;
  if (!length_bytes) return std::unexpected(Error::kNoLength);
  part_ = Part::kBody;
  body_left_bytes_ = *length_bytes;
  return take_body(after_header);
}

std::expected<int, AnswerReader::Error> AnswerReader::take_body(std::string_view bytes) {
  const std::size_t taken = std::min(bytes.size(), body_left_bytes_);
  body_left_bytes_ -= taken;
  return body_left_bytes_ > 0 ? 0 : end(bytes.substr(taken));
}

// A chunk's bytes are skipped whole; the lines around them are short and put together where they
// come in pieces.
std::expected<int, AnswerReader::Error> AnswerReader::take_chunks(std::string_view bytes) {
  while (!bytes.empty()) {
    if (part_ == Part::kChunk) {
      const std::size_t taken = std::min(bytes.size(), body_left_bytes_);
      body_left_bytes_ -= taken;
      bytes.remove_prefix(taken);
      if (body_left_bytes_ == 0) part_ = Part::kChunkEnd;
      continue;
    }
    const auto line_end = bytes.find('\n');
    partial_.append(bytes.substr(0, line_end));
    if (partial_.size() > kHeaderBytesMax) return std::unexpected(Error::kHeaderTooLong);
    if (line_end == std::string_view::npos) return 0;
    bytes.remove_prefix(line_end + 1);
    const std::string line = std::move(partial_);
    partial_.clear();
    if (!line.ends_with('\r')) return std::unexpected(Error::kBadChunk);
    if (part_ == Part::kTrailer && line.size() == 1) return end(bytes);
    if (const auto taken = take_line(std::string_view(line).substr(0, line.size() - 1)); !taken)
      return std::unexpected(taken.error());
  }
  return 0;
}

// A line of the chunks' own, without its end; not the last.
std::expected<void, AnswerReader::Error> AnswerReader::take_line(std::string_view line) {
  if (part_ == Part::kChunkSize) {
    // What follows the size is an extension, which means nothing here.
    const auto size = number_of(line, 16, "; ");
    if (!size) return std::unexpected(Error::kBadChunk);
    body_left_bytes_ = *size;
    part_ = *size > 0 ? Part::kChunk : Part::kTrailer;
  } else if (part_ == Part::kChunkEnd) {
    if (!line.empty()) return std::unexpected(Error::kBadChunk);
    part_ = Part::kChunkSize;
  }
  return {};
}

std::expected<int, AnswerReader::Error> AnswerReader::end(std::string_view bytes_after) {
  if (!bytes_after.empty()) return std::unexpected(Error::kSurplus);
  part_ = Part::kHeader;
  return status_;
}

}  // namespace flagstone::bench
