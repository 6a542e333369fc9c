#include "evaluation/dialects/launchdarkly/instant.h"

#include <chrono>
#include <string_view>

#include "evaluation/dialects/launchdarkly/go_integer.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;

// Takes fields off the front of a text, each up to one of some ending characters.
class Fields {
 public:
  explicit Fields(std::string_view text) : text_(text) {}

  // The next field's characters; it ends behind the ending character, at the text's end, or before
  // a byte that is no ASCII.
  std::string_view take(std::string_view endings) {
    ending_ = 0;
    std::size_t size = 0;
    while (size < text_.size()) {
      const char c = text_[size];
      if (static_cast<unsigned char>(c) - 1U >= 0x7FU) break;
      if (endings.find(c) != std::string_view::npos) {
        ending_ = c;
        break;
      }
      ++size;
    }
    const std::string_view field = text_.substr(0, size);
    text_.remove_prefix(size + (ending_ != 0 ? 1 : 0));
    return field;
  }
  // What ended the field taken last; 0: nothing that it may end with.
  char ending() const { return ending_; }

 private:
  std::string_view text_;
  char ending_ = 0;
};

std::optional<std::int64_t> digits_of(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

struct Shape {
  std::size_t digits_min;
  std::size_t digits_max;
  std::int64_t min;
  std::int64_t max;
};

bool read_number(std::string_view field, const Shape& shape, std::int64_t& out) {
  if (field.size() < shape.digits_min || field.size() > shape.digits_max) return false;
  const auto number = digits_of(field);
  if (!number || *number < shape.min || *number > shape.max) return false;
  out = *number;
  return true;
}

bool take_number(Fields& fields, std::string_view endings, const Shape& shape, std::int64_t& out) {
  const std::string_view field = fields.take(endings);
  return fields.ending() != 0 && read_number(field, shape, out);
}

bool take_fraction(Fields& fields, std::int64_t& nanoseconds) {
  constexpr std::size_t kDigitsMax = 9;
  const std::string_view field = fields.take("Zz+-");
  if (fields.ending() == 0 || field.size() > kDigitsMax) return false;
  const auto digits = digits_of(field);
  if (!digits) return false;
  nanoseconds = *digits;
  for (std::size_t i = field.size(); i < kDigitsMax; ++i) nanoseconds *= 10;
  return true;
}

// What to add so that the time is UTC's.
bool take_offset(Fields& fields, char sign, std::int64_t& seconds) {
  std::int64_t hours = 0;
  std::int64_t minutes = 0;
  if (!take_number(fields, ":", {2, 2, 0, 99}, hours)) return false;
  if (!read_number(fields.take({}), {2, 2, 0, 59}, minutes)) return false;
  seconds = (hours * 60 + minutes) * 60;
  if (sign == '+') seconds = -seconds;
  return true;
}

std::optional<Instant> parse(std::string_view text) {
  Fields fields(text);
  std::int64_t year = 0;
  std::int64_t month = 0;
  std::int64_t day = 0;
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  if (!take_number(fields, "-", {4, 4, 0, 9999}, year) ||
      !take_number(fields, "-", {2, 2, 1, 12}, month) ||
      !take_number(fields, "tT", {2, 2, 1, 31}, day) ||
      !take_number(fields, ":", {1, 2, 0, 23}, hour) ||
      !take_number(fields, ":", {2, 2, 0, 59}, minute) ||
      !take_number(fields, ".Zz+-", {2, 2, 0, 60}, second)) {
    return std::nullopt;
  }
  Instant instant;
  if (fields.ending() == '.' && !take_fraction(fields, instant.nanoseconds)) return std::nullopt;
  std::int64_t offset = 0;
  const char sign = fields.ending();
  if ((sign == '+' || sign == '-') && !take_offset(fields, sign, offset)) return std::nullopt;
  // A day beyond its month's end is one of the next month.
  const std::chrono::year_month_day first(std::chrono::year(static_cast<int>(year)),
                                          std::chrono::month(static_cast<unsigned>(month)),
                                          std::chrono::day(1));
  const std::int64_t days = std::chrono::sys_days(first).time_since_epoch().count() + day - 1;
  instant.unix_seconds = ((days * 24 + hour) * 60 + minute) * 60 + second + offset;
  return instant;
}

// Go's arithmetic, which wraps around.
Instant from_milliseconds(double milliseconds) {
  const auto total =
      static_cast<std::int64_t>(static_cast<std::uint64_t>(go_integer(milliseconds)) *
                                std::uint64_t{kNanosecondsPerMillisecond});
  std::int64_t seconds = total / kNanosecondsPerSecond;
  std::int64_t rest = total % kNanosecondsPerSecond;
  if (rest < 0) {
    rest += kNanosecondsPerSecond;
    --seconds;
  }
  return {seconds, rest};
}

}  // namespace

std::optional<Instant> instant_of(const Value& value) {
  if (value.is_string()) return parse(value.as_string());
  if (value.is_number()) return from_milliseconds(value.as_double());
  return std::nullopt;
}

}  // namespace flagstone::evaluation::launchdarkly
