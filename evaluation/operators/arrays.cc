#include "evaluation/operators/arrays.h"

#include <algorithm>
#include <optional>
#include <span>

#include "evaluation/operators/coercion.h"

namespace flagstone::evaluation::operators {
namespace {

// Equal in type and value. Two arrays or two objects cannot be compared.
std::expected<bool, OperatorError> same(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return a.as_double() == b.as_double();
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case Value::Type::kNull:
      return true;
    case Value::Type::kBool:
      return a.as_bool() == b.as_bool();
    case Value::Type::kString:
      return a.as_string() == b.as_string();
    default:
      return failure("arrays and objects cannot be compared with each other");
  }
}

std::expected<bool, OperatorError> in_range(const Value& value, std::span<const Value> range) {
  if (range.size() < 2) return failure("a range needs two numbers");
  const auto number = arithmetic_number(value);
  if (!number) return std::unexpected(number.error());
  const auto low = arithmetic_number(range[0]);
  if (!low) return std::unexpected(low.error());
  if (!(*number >= *low)) return false;
  const auto high = arithmetic_number(range[1]);
  if (!high) return std::unexpected(high.error());
  return *high >= *number;
}

std::expected<bool, OperatorError> matches(const Value& value, const Value& element) {
  if (element.is_array()) return in_range(value, element.items());
  if (!value.is_number()) return same(element, value);
  const auto number = arithmetic_number(element);
  if (!number) return std::unexpected(number.error());
  return *number == value.as_double();
}

struct TwoArrays {
  std::span<const Value> searched;
  std::span<const Value> wanted;
};

std::optional<TwoArrays> two_arrays(const Value& arguments) {
  if (!arguments.is_array() || arguments.items().size() != 2) return std::nullopt;
  const auto items = arguments.items();
  if (!items[0].is_array() || !items[1].is_array()) return std::nullopt;
  return TwoArrays{items[0].items(), items[1].items()};
}

std::expected<bool, OperatorError> has(std::span<const Value> searched, const Value& wanted) {
  for (const Value& item : searched) {
    const auto equal = same(item, wanted);
    if (!equal || *equal) return equal;
  }
  return false;
}

// Whether some wanted element is there (`present`) or missing.
std::expected<bool, OperatorError> any(const TwoArrays& arrays, bool present) {
  for (const Value& wanted : arrays.wanted) {
    const auto found = has(arrays.searched, wanted);
    if (!found) return found;
    if (*found == present) return true;
  }
  return false;
}

Outcome as_value(const std::expected<bool, OperatorError>& result, bool negated) {
  if (!result) return std::unexpected(result.error());
  return Value::boolean(*result != negated);
}

}  // namespace

Outcome is_in(const Value& arguments, Arena&) {
  if (!arguments.is_array() || arguments.items().empty()) {
    return failure("in needs a list of arguments");
  }
  const auto items = arguments.items();
  if (items.size() < 2) return Value::boolean(false);
  const Value& value = items[0];
  if (items[1].is_string()) {
    if (!value.is_string()) return failure("in looks for strings only inside a string");
    return Value::boolean(items[1].as_string().find(value.as_string()) != std::string_view::npos);
  }
  if (!items[1].is_array()) return Value::boolean(false);
  for (const Value& element : items[1].items()) {
    const auto match = matches(value, element);
    if (!match) return std::unexpected(match.error());
    if (*match) return Value::boolean(true);
  }
  return Value::boolean(false);
}

Outcome merge(const Value& arguments, Arena& arena) {
  if (arguments.is_null() || arguments.is_object()) return failure("merge needs values");
  const std::span<const Value> items =
      arguments.is_array() ? arguments.items() : std::span<const Value>(&arguments, 1);
  std::size_t count = 0;
  for (const Value& item : items) count += item.is_array() ? item.items().size() : 1;
  if (count > kArrayItemsMax) return failure("merge makes an array of more than 65,536 elements");
  const auto merged = arena.make_array<Value>(count);
  auto to = merged.begin();
  for (const Value& item : items) {
    if (item.is_array()) {
      to = std::copy(item.items().begin(), item.items().end(), to);
    } else {
      *to++ = item;
    }
  }
  return Value::array(merged);
}

Outcome contains_all(const Value& arguments, Arena&) {
  const auto arrays = two_arrays(arguments);
  if (!arrays) return Value::boolean(false);
  return as_value(any(*arrays, false), true);
}

Outcome contains_any(const Value& arguments, Arena&) {
  const auto arrays = two_arrays(arguments);
  if (!arrays) return Value::boolean(false);
  return as_value(any(*arrays, true), false);
}

Outcome contains_none(const Value& arguments, Arena&) {
  const auto arrays = two_arrays(arguments);
  if (!arrays) return Value::boolean(true);
  return as_value(any(*arrays, true), true);
}

Outcome set_property(const Value& arguments, Arena& arena) {
  if (!arguments.is_array()) return failure("set needs a list of arguments");
  const auto items = arguments.items();
  if (items.size() < 3) return items.empty() ? Value::null() : items[0];
  if (!items[0].is_object()) return items[0];
  if (!items[1].is_string()) return failure("set needs a property's name");
  const auto members = items[0].members();
  const auto changed = arena.make_array<Member>(members.size() + 1);
  std::size_t count = 0;
  for (const Member& member : members) {
    if (member.name != items[1].as_string()) changed[count++] = member;
  }
  changed[count++] = {items[1].as_string(), items[2]};
  return Value::object(changed.first(count));
}

}  // namespace flagstone::evaluation::operators
