// JsonLogic's comparisons and negations.
//
// Each operator takes its arguments as one value, as a rule gives them: usually an array.
#pragma once

#include "evaluation/operators/outcome.h"

namespace flagstone::evaluation::operators {

// null equals only null; two strings are compared byte by byte, everything else as numbers.
bool loosely_equal(const Value& a, const Value& b);
bool less(const Value& a, const Value& b);

// `==`, `!=` and the orderings need an array; with fewer than two arguments nothing is equal or
// ordered. The orderings take three arguments as "between".
Outcome equal(const Value& arguments, Arena& arena);
Outcome not_equal(const Value& arguments, Arena& arena);
Outcome less_than(const Value& arguments, Arena& arena);
Outcome less_or_equal(const Value& arguments, Arena& arena);
Outcome greater_than(const Value& arguments, Arena& arena);
Outcome greater_or_equal(const Value& arguments, Arena& arena);

// `===`: also of the same type. Never fail.
Outcome strictly_equal(const Value& arguments, Arena& arena);
Outcome not_strictly_equal(const Value& arguments, Arena& arena);

// `!` and `!!` of the argument, or of the first of several. Never fail.
Outcome negate(const Value& arguments, Arena& arena);
Outcome is_truthy(const Value& arguments, Arena& arena);

}  // namespace flagstone::evaluation::operators
