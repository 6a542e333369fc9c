// From one JSON type to another, as JsonLogic's operators want their arguments.
//
// Pure functions. Integers count as doubles here, because flagd compares and adds doubles only.
#pragma once

#include <expected>
#include <string_view>

#include "evaluation/operators/outcome.h"

namespace flagstone::evaluation::operators {

// False, 0, "", [], {} and null are not true; NaN is.
bool is_true(const Value& value);

// For comparisons, as JavaScript does: null and blank strings are 0, booleans 0 and 1, strings that
// are no number, arrays and objects NaN.
double comparable_number(const Value& value);

// For arithmetic: a string that is no number is 0; booleans, null, arrays and objects fail.
std::expected<double, OperatorError> arithmetic_number(const Value& value);

// For text: null is "", numbers are written without exponent; booleans, arrays and objects fail.
std::expected<std::string_view, OperatorError> text_of(const Value& value, Arena& arena);

}  // namespace flagstone::evaluation::operators
