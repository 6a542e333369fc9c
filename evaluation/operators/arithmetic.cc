#include "evaluation/operators/arithmetic.h"

#include <cmath>
#include <span>

#include "evaluation/operators/coercion.h"

namespace flagstone::evaluation::operators {
namespace {

constexpr std::string_view kNeedsList = "an arithmetic operator needs a list of arguments";
constexpr std::string_view kNeedsMore = "an arithmetic operator has too few arguments";

// Folds the arguments from the left, beginning with the first.
template <typename Combine>
Outcome fold(std::span<const Value> items, Combine combine) {
  auto result = arithmetic_number(items[0]);
  for (const Value& item : items.subspan(1)) {
    const auto number = arithmetic_number(item);
    if (!number) return std::unexpected(number.error());
    if (!result) break;
    result = combine(*result, *number);
  }
  if (!result) return std::unexpected(result.error());
  return Value::number(*result);
}

Outcome number_value(const Value& argument) {
  const auto number = arithmetic_number(argument);
  if (!number) return std::unexpected(number.error());
  return Value::number(*number);
}

}  // namespace

Outcome add(const Value& arguments, Arena&) {
  if (!arguments.is_array()) return number_value(arguments);
  if (arguments.items().empty()) return Value::number(0);
  if (arguments.items().size() == 1) return number_value(arguments.items()[0]);
  const auto sum = fold(arguments.items(), [](double a, double b) { return a + b; });
  // A sum begins at zero, which turns -0 into 0.
  if (!sum) return sum;
  return Value::number(0.0 + sum->as_double());
}

Outcome subtract(const Value& arguments, Arena&) {
  if (!arguments.is_array()) return failure(kNeedsList);
  const auto items = arguments.items();
  if (items.empty()) return Value::number(0);
  if (items.size() > 1) return fold(items, [](double a, double b) { return a - b; });
  const auto number = arithmetic_number(items[0]);
  if (!number) return std::unexpected(number.error());
  return Value::number(-1 * *number);
}

Outcome multiply(const Value& arguments, Arena&) {
  if (!arguments.is_array()) return failure(kNeedsList);
  if (arguments.items().empty()) return Value::number(1);
  return fold(arguments.items(), [](double a, double b) { return a * b; });
}

Outcome divide(const Value& arguments, Arena&) {
  if (!arguments.is_array()) return failure(kNeedsList);
  if (arguments.items().empty()) return Value::number(0);
  return fold(arguments.items(), [](double a, double b) { return a / b; });
}

Outcome modulo(const Value& arguments, Arena&) {
  if (!arguments.is_array()) return failure(kNeedsList);
  if (arguments.items().size() < 2) return failure(kNeedsMore);
  return fold(arguments.items().first(2), [](double a, double b) { return std::fmod(a, b); });
}

Outcome absolute(const Value& arguments, Arena&) {
  if (arguments.is_array() && arguments.items().empty()) return failure(kNeedsMore);
  const Value& argument = arguments.is_array() ? arguments.items()[0] : arguments;
  const auto number = arithmetic_number(argument);
  if (!number) return std::unexpected(number.error());
  return Value::number(std::fabs(*number));
}

Outcome maximum(const Value& arguments, Arena&) {
  if (!arguments.is_array()) return failure(kNeedsList);
  if (arguments.items().empty()) return Value::null();
  return fold(arguments.items(), [](double a, double b) { return b > a ? b : a; });
}

Outcome minimum(const Value& arguments, Arena&) {
  if (!arguments.is_array()) return failure(kNeedsList);
  if (arguments.items().empty()) return Value::null();
  return fold(arguments.items(), [](double a, double b) { return a > b ? b : a; });
}

}  // namespace flagstone::evaluation::operators
