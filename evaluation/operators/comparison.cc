#include "evaluation/operators/comparison.h"

#include "evaluation/operators/coercion.h"

namespace flagstone::evaluation::operators {
namespace {

bool less_or_loosely_equal(const Value& a, const Value& b) {
  return less(a, b) || loosely_equal(a, b);
}

bool flip(bool (*relation)(const Value&, const Value&), const Value& a, const Value& b) {
  return relation(b, a);
}

// `up`: the arguments must rise (< and <=), else fall.
Outcome ordered(const Value& arguments, bool (*relation)(const Value&, const Value&), bool up) {
  if (!arguments.is_array()) return failure("a comparison needs a list of arguments");
  const auto items = arguments.items();
  if (items.size() < 2) return Value::boolean(false);
  const auto holds = [&](const Value& a, const Value& b) {
    return up ? relation(a, b) : flip(relation, a, b);
  };
  bool result = holds(items[0], items[1]);
  if (items.size() == 3) result = result && holds(items[1], items[2]);
  return Value::boolean(result);
}

// Kinds that `===` tells apart: all numbers are one kind.
Value::Type kind_of(const Value& value) {
  return value.is_number() ? Value::Type::kDouble : value.type();
}

bool strictly_equal_pair(const Value& arguments) {
  if (!arguments.is_array() || arguments.items().size() < 2) return false;
  const Value& a = arguments.items()[0];
  const Value& b = arguments.items()[1];
  return kind_of(a) == kind_of(b) && loosely_equal(a, b);
}

}  // namespace

bool loosely_equal(const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) return a.is_null() && b.is_null();
  if (a.is_string() && b.is_string()) return a.as_string() == b.as_string();
  return comparable_number(a) == comparable_number(b);
}

bool less(const Value& a, const Value& b) {
  if (a.is_string() && b.is_string()) return a.as_string() < b.as_string();
  return comparable_number(a) < comparable_number(b);
}

Outcome equal(const Value& arguments, Arena&) {
  if (!arguments.is_array()) return failure("a comparison needs a list of arguments");
  const auto items = arguments.items();
  return Value::boolean(items.size() >= 2 && loosely_equal(items[0], items[1]));
}

Outcome not_equal(const Value& arguments, Arena& arena) {
  const Outcome result = equal(arguments, arena);
  if (!result) return result;
  return Value::boolean(!result->as_bool());
}

Outcome less_than(const Value& arguments, Arena&) { return ordered(arguments, less, true); }
Outcome less_or_equal(const Value& arguments, Arena&) {
  return ordered(arguments, less_or_loosely_equal, true);
}
Outcome greater_than(const Value& arguments, Arena&) { return ordered(arguments, less, false); }
Outcome greater_or_equal(const Value& arguments, Arena&) {
  return ordered(arguments, less_or_loosely_equal, false);
}

Outcome strictly_equal(const Value& arguments, Arena&) {
  return Value::boolean(strictly_equal_pair(arguments));
}

Outcome not_strictly_equal(const Value& arguments, Arena&) {
  return Value::boolean(!strictly_equal_pair(arguments));
}

Outcome negate(const Value& arguments, Arena&) {
  const bool first = arguments.is_array() && !arguments.items().empty();
  return Value::boolean(!is_true(first ? arguments.items()[0] : arguments));
}

Outcome is_truthy(const Value& arguments, Arena&) {
  const bool first = arguments.is_array() && !arguments.items().empty();
  return Value::boolean(is_true(first ? arguments.items()[0] : arguments));
}

}  // namespace flagstone::evaluation::operators
