#include "upstream/event_stream_parser.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace flagstone::upstream {
namespace {

constexpr std::string_view kMarkBytes = "\xEF\xBB\xBF";
// No field has a longer name; what is longer is none of ours.
constexpr std::size_t kFieldBytesMax = 8;
// Names, ids and retry times are short.
constexpr std::size_t kValueBytesMax = 4096;
constexpr std::chrono::milliseconds kRetryMax = std::chrono::hours(24);

// Where the line ends, or the bytes.
std::size_t line_end(std::string_view bytes) {
  const void* lf = std::memchr(bytes.data(), '\n', bytes.size());
  const std::size_t end =
      lf == nullptr ? bytes.size()
                    : static_cast<std::size_t>(static_cast<const char*>(lf) - bytes.data());
  const void* cr = std::memchr(bytes.data(), '\r', end);
  return cr == nullptr ? end
                       : static_cast<std::size_t>(static_cast<const char*>(cr) - bytes.data());
}

}  // namespace

EventStreamParser::Part EventStreamParser::next(std::string_view& bytes) {
  if (failed_) return *failed_;
  if (std::exchange(ends_after_piece_, false)) {
    if (const auto part = end_event()) return *part;
  }
  if (std::exchange(ended_, false)) {
    name_.clear();
    has_name_ = false;
  }
  while (!bytes.empty()) {
    if (skips_lf_) {
      skips_lf_ = false;
      if (bytes.front() == '\n') {
        bytes.remove_prefix(1);
        continue;
      }
    }
    if (const auto part = step(bytes)) return *part;
  }
  return Part::kMore;
}

std::optional<EventStreamParser::Part> EventStreamParser::step(std::string_view& bytes) {
  switch (state_) {
    case State::kMark:
      return in_mark(bytes);
    case State::kLineStart:
      return at_line_start(bytes);
    case State::kField:
      return in_field(bytes);
    case State::kValueStart:
      return at_value_start(bytes);
    case State::kData:
      return in_data(bytes);
    case State::kValue:
      return in_value(bytes);
    case State::kIgnored:
      return in_ignored(bytes);
  }
  return std::nullopt;
}

EventStreamParser::Part EventStreamParser::fail(Part how, std::string_view problem) {
  failed_ = how;
  problem_ = problem;
  return how;
}

std::optional<EventStreamParser::Part> EventStreamParser::in_mark(std::string_view& bytes) {
  if (bytes.front() == kMarkBytes[mark_bytes_]) {
    bytes.remove_prefix(1);
    if (++mark_bytes_ == kMarkBytes.size()) state_ = State::kLineStart;
    return std::nullopt;
  }
  // What looked like a mark began a field that nobody knows.
  state_ = mark_bytes_ == 0 ? State::kLineStart : State::kIgnored;
  return std::nullopt;
}

std::optional<EventStreamParser::Part> EventStreamParser::at_line_start(std::string_view& bytes) {
  const char c = bytes.front();
  if (c == '\n' || c == '\r') {
    bytes.remove_prefix(1);
    skips_lf_ = c == '\r';
    return end_event();
  }
  field_.clear();
  value_.clear();
  if (c == ':') {
    bytes.remove_prefix(1);
    state_ = State::kIgnored;
    return Part::kComment;
  }
  state_ = State::kField;
  return std::nullopt;
}

std::optional<EventStreamParser::Part> EventStreamParser::in_field(std::string_view& bytes) {
  const char c = bytes.front();
  if (c == '\n' || c == '\r') {
    // A field without a value: as if the value were empty.
    const auto part = begin_value();
    if (part) return part;
    return end_line(bytes);
  }
  bytes.remove_prefix(1);
  if (c == ':') {
    state_ = State::kValueStart;
  } else if (field_.size() == kFieldBytesMax) {
    state_ = State::kIgnored;
  } else {
    field_ += c;
  }
  return std::nullopt;
}

std::optional<EventStreamParser::Part> EventStreamParser::at_value_start(std::string_view& bytes) {
  if (bytes.front() == ' ') bytes.remove_prefix(1);
  return begin_value();
}

std::optional<EventStreamParser::Part> EventStreamParser::begin_value() {
  if (field_ == "data") {
    begun_ = true;
    state_ = State::kData;
    // Lines of one event are joined by a line feed.
    return std::exchange(has_data_, true) ? give("\n") : std::nullopt;
  }
  const bool known = field_ == "event" || field_ == "id" || field_ == "retry";
  state_ = known ? State::kValue : State::kIgnored;
  return std::nullopt;
}

std::optional<EventStreamParser::Part> EventStreamParser::in_data(std::string_view& bytes) {
  const std::size_t end = line_end(bytes);
  if (end == 0) return end_line(bytes);
  const std::string_view data = bytes.substr(0, end);
  bytes.remove_prefix(end);
  return give(data);
}

std::optional<EventStreamParser::Part> EventStreamParser::give(std::string_view data) {
  data_bytes_ += data.size();
  if (data_bytes_ > event_bytes_max_) return fail(Part::kTooLarge, "an event is too large");
  if (!has_name_) {
    early_data_ += data;
    return std::nullopt;
  }
  gave_data_ = true;
  piece_ = data;
  return Part::kData;
}

std::optional<EventStreamParser::Part> EventStreamParser::in_value(std::string_view& bytes) {
  const std::size_t end = line_end(bytes);
  if (end == 0) return end_line(bytes);
  value_ += bytes.substr(0, end);
  bytes.remove_prefix(end);
  if (value_.size() > kValueBytesMax) return fail(Part::kTooLarge, "a field is too large");
  return std::nullopt;
}

std::optional<EventStreamParser::Part> EventStreamParser::in_ignored(std::string_view& bytes) {
  const std::size_t end = line_end(bytes);
  bytes.remove_prefix(end);
  return bytes.empty() ? std::nullopt : end_line(bytes);
}

// REQUIRES: the next byte ends a line.
std::optional<EventStreamParser::Part> EventStreamParser::end_line(std::string_view& bytes) {
  skips_lf_ = bytes.front() == '\r';
  bytes.remove_prefix(1);
  const bool kept = state_ == State::kValue;
  state_ = State::kLineStart;
  return kept ? end_field() : std::nullopt;
}

std::optional<EventStreamParser::Part> EventStreamParser::end_field() {
  if (field_ == "id") {
    begun_ = true;
    return std::nullopt;
  }
  if (field_ == "retry") {
    std::int64_t ms = 0;
    const char* const end = value_.data() + value_.size();
    const auto parsed = std::from_chars(value_.data(), end, ms);
    if (parsed.ec != std::errc{} || parsed.ptr != end || ms < 0) return std::nullopt;
    retry_ = std::min(std::chrono::milliseconds(ms), kRetryMax);
    return Part::kRetry;
  }
  begun_ = true;
  if (gave_data_) return fail(Part::kBroken, "an event's name changes behind its data");
  name_ = value_;
  has_name_ = true;
  if (early_data_.empty()) return std::nullopt;
  given_ = std::exchange(early_data_, {});
  gave_data_ = true;
  piece_ = given_;
  return Part::kData;
}

std::optional<EventStreamParser::Part> EventStreamParser::end_event() {
  if (has_data_ && !gave_data_) {
    // An event without a name, or whose data is empty.
    given_ = std::exchange(early_data_, {});
    gave_data_ = true;
    ends_after_piece_ = true;
    piece_ = given_;
    return Part::kData;
  }
  const bool whole = std::exchange(has_data_, false);
  begun_ = false;
  gave_data_ = false;
  data_bytes_ = 0;
  early_data_ = {};
  if (whole) {
    ended_ = true;
    return Part::kEvent;
  }
  name_.clear();
  has_name_ = false;
  return std::nullopt;
}

}  // namespace flagstone::upstream
