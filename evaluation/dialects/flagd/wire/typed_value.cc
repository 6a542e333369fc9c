#include "evaluation/dialects/flagd/wire/typed_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "evaluation/dialects/flagd/wire/struct_writer.h"
#include "evaluation/operators/numbers.h"

namespace flagstone::evaluation::flagd {
namespace {

// The least double that int64 does not hold.
constexpr double kIntegersEnd = 9223372036854775808.0;

std::optional<std::int64_t> to_integer(std::string_view number_json) {
  if (number_json.find_first_of(".eE") == std::string_view::npos) {
    std::int64_t integer = 0;
    const char* const end = number_json.data() + number_json.size();
    const auto [stopped, error] = std::from_chars(number_json.data(), end, integer);
    if (error != std::errc() || stopped != end) return std::nullopt;
    return integer;
  }
  const double number = operators::parse_number(number_json).value;
  if (number < -kIntegersEnd || number >= kIntegersEnd) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::optional<TypedValue> from_number(std::string_view number_json, AskedType type) {
  if (type == AskedType::kInt) {
    const auto integer = to_integer(number_json);
    if (!integer) return std::nullopt;
    return TypedValue{.type = type, .integer = *integer, .json = {}};
  }
  const double number = operators::parse_number(number_json).value;
  return TypedValue{.type = type, .number = number, .json = number_json};
}

// What every JSON reader takes for the same number: digits, one point between digits, an exponent.
// A small grammar, since parsers of numbers take more (hexadecimal, "inf").
bool is_json_number(std::string_view text) {
  const auto digits = [&text] {
    const std::size_t size = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(size);
    return size;
  };
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool leading_zero = text.starts_with('0');
  const std::size_t whole = digits();
  if (whole == 0 || (leading_zero && whole > 1)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return text.empty();
}

std::optional<TypedValue> cast_to_boolean(const Evaluation& evaluation, std::string& room) {
  const bool is_string = evaluation.type == ValueType::kString;
  if (!is_string && evaluation.type != ValueType::kNumber) return std::nullopt;
  const std::string_view text =
      is_string ? plain_string(evaluation.value_json, room) : evaluation.value_json;
  if (is_string && (text == "true" || text == "false")) {
    return TypedValue{.type = AskedType::kBoolean, .boolean = text == "true", .json = {}};
  }
  if (!is_json_number(text)) return std::nullopt;
  const double number = operators::parse_number(text).value;
  if (number != 0 && number != 1) return std::nullopt;
  return TypedValue{.type = AskedType::kBoolean, .boolean = number == 1, .json = {}};
}

std::optional<TypedValue> cast_to_string(const Evaluation& evaluation, std::string& room) {
  if (evaluation.type != ValueType::kNumber && evaluation.type != ValueType::kBool) {
    return std::nullopt;
  }
  room.assign(1, '"');
  room.append(evaluation.value_json).push_back('"');
  return TypedValue{.type = AskedType::kString, .json = room};
}

std::optional<TypedValue> cast_to_number(const Evaluation& evaluation, AskedType type,
                                         std::string& room) {
  if (evaluation.type == ValueType::kBool) {
    return from_number(evaluation.value_json == "true" ? "1" : "0", type);
  }
  if (evaluation.type != ValueType::kString) return std::nullopt;
  const std::string_view text = plain_string(evaluation.value_json, room);
  if (!is_json_number(text) || !std::isfinite(operators::parse_number(text).value)) {
    return std::nullopt;
  }
  return from_number(text, type);
}

std::optional<TypedValue> cast(const Evaluation& evaluation, AskedType type, std::string& room) {
  switch (type) {
    case AskedType::kBoolean:
      return cast_to_boolean(evaluation, room);
    case AskedType::kString:
      return cast_to_string(evaluation, room);
    case AskedType::kFloat:
    case AskedType::kInt:
      return cast_to_number(evaluation, type, room);
    case AskedType::kObject:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<TypedValue> typed_value(const Evaluation& evaluation, AskedType type, bool loose,
                                      std::string& room) {
  const bool number = type == AskedType::kFloat || type == AskedType::kInt;
  if (number && evaluation.type == ValueType::kNumber) {
    return from_number(evaluation.value_json, type);
  }
  if (type == AskedType::kBoolean && evaluation.type == ValueType::kBool) {
    return TypedValue{.type = type, .boolean = evaluation.value_json == "true", .json = {}};
  }
  if ((type == AskedType::kString && evaluation.type == ValueType::kString) ||
      (type == AskedType::kObject && evaluation.type == ValueType::kObject)) {
    return TypedValue{.type = type, .json = evaluation.value_json};
  }
  return loose ? cast(evaluation, type, room) : std::nullopt;
}

}  // namespace flagstone::evaluation::flagd
