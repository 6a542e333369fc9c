#include "evaluation/operators/coercion.h"

#include <cmath>
#include <limits>
#include <string>

#include "evaluation/operators/numbers.h"
#include "evaluation/operators/strings.h"

namespace flagstone::evaluation::operators {

bool is_true(const Value& value) {
  switch (value.type()) {
    case Value::Type::kNull:
      return false;
    case Value::Type::kBool:
      return value.as_bool();
    case Value::Type::kString:
      return !value.as_string().empty();
    case Value::Type::kArray:
      return !value.items().empty();
    case Value::Type::kObject:
      return !value.members().empty();
    default:
      return value.as_double() != 0;
  }
}

double comparable_number(const Value& value) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  switch (value.type()) {
    case Value::Type::kNull:
      return 0;
    case Value::Type::kBool:
      return value.as_bool() ? 1 : 0;
    case Value::Type::kString: {
      if (trim_space(value.as_string()).empty()) return 0;
      const ParsedNumber parsed = parse_number(value.as_string());
      return parsed.as == ParsedAs::kNumber ? parsed.value : kNan;
    }
    case Value::Type::kArray:
    case Value::Type::kObject:
      return kNan;
    default:
      return value.as_double();
  }
}

std::expected<double, OperatorError> arithmetic_number(const Value& value) {
  if (value.is_number()) return value.as_double();
  if (value.is_string()) return parse_number(value.as_string()).value;
  return failure("a number is needed, but got a boolean, null, an array or an object");
}

std::expected<std::string_view, OperatorError> text_of(const Value& value, Arena& arena) {
  if (value.is_string()) return value.as_string();
  if (value.is_null()) return std::string_view();
  if (!value.is_number()) {
    return failure("a string is needed, but got a boolean, an array or an object");
  }
  const double number = value.as_double();
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
  std::string text;  // Short numbers stay inside the string object; only the longest allocate.
  append_fixed(text, number);
  return arena.copy(text);
}

}  // namespace flagstone::evaluation::operators
