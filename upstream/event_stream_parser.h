// Server-sent events: bytes in any pieces in, names and data out. Knows no vendor.
//
// A value owned by whoever reads the stream; one thread. Follows the HTML standard's grammar (LF,
// CR, CRLF, a byte order mark, comments, `retry`; nobody asks for an `id`). Data goes out as it
// comes, so that a large event is held nowhere; only where data stands before its event's name is
// it kept until the name is known.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flagstone::upstream {

class EventStreamParser {
 public:
  enum class Part : std::uint8_t {
    kMore,      // All bytes given were eaten.
    kData,      // See piece(); name() is known, and every piece until kEvent belongs to that event.
    kEvent,     // The event is complete. Not said of one without data.
    kComment,   // A comment, or what else shows that the other side lives.
    kRetry,     // See retry().
    kTooLarge,  // See problem(). Nothing more can be read.
    kBroken,    // Likewise.
  };

  // Refuses events whose data, or whose name, has more bytes than that.
  explicit EventStreamParser(std::uint64_t event_bytes_max) : event_bytes_max_(event_bytes_max) {}

  // Eats from the front of `bytes` until there is a part.
  Part next(std::string_view& bytes);

  // Of the event that is being read, "message" where the stream gives none. Valid after kData until
  // the call after kEvent.
  std::string_view name() const { return name_.empty() ? "message" : std::string_view(name_); }
  // Valid until the next call.
  std::string_view piece() const { return piece_; }
  std::chrono::milliseconds retry() const { return retry_; }
  // No event has begun whose end has not come.
  bool between_events() const { return state_ == State::kLineStart && !begun_; }
  // Static text.
  std::string_view problem() const { return problem_; }

 private:
  enum class State : std::uint8_t {
    kMark,        // The stream's first bytes, which may be a byte order mark.
    kLineStart,   // Nothing of the line was read.
    kField,       // In the field's name.
    kValueStart,  // Behind the colon, where one space may stand.
    kData,        // In a value whose field is `data`: goes out.
    kValue,       // In a value that is kept.
    kIgnored,     // In a comment, or in the value of a field that nobody knows.
  };

  std::optional<Part> step(std::string_view& bytes);
  std::optional<Part> in_mark(std::string_view& bytes);
  std::optional<Part> at_line_start(std::string_view& bytes);
  std::optional<Part> in_field(std::string_view& bytes);
  std::optional<Part> at_value_start(std::string_view& bytes);
  std::optional<Part> in_data(std::string_view& bytes);
  std::optional<Part> in_value(std::string_view& bytes);
  std::optional<Part> in_ignored(std::string_view& bytes);
  std::optional<Part> begin_value();
  std::optional<Part> end_line(std::string_view& bytes);
  std::optional<Part> end_field();
  std::optional<Part> end_event();
  std::optional<Part> give(std::string_view data);
  Part fail(Part how, std::string_view problem);

  std::uint64_t event_bytes_max_;
  State state_ = State::kMark;
  std::optional<Part> failed_;
  bool skips_lf_ = false;  // The line ended with CR; a LF that follows belongs to it.
  std::string field_;
  std::string value_;
  std::size_t mark_bytes_ = 0;

  // The event that is being read.
  bool begun_ = false;
  bool has_name_ = false;
  bool has_data_ = false;
  bool gave_data_ = false;  // Some of it went out: its name can no longer change.
  std::uint64_t data_bytes_ = 0;
  std::string name_;
  std::string early_data_;  // Before the name.
  bool ended_ = false;      // kEvent was said, and the name is still to be forgotten.
  bool ends_after_piece_ = false;

  std::string_view piece_;
  std::string given_;  // What piece_ points into, where that is not the input.
  std::chrono::milliseconds retry_{0};
  std::string_view problem_;
};

}  // namespace flagstone::upstream
