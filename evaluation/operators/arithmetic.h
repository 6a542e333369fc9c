// JsonLogic's arithmetic, in doubles.
//
// Each takes its arguments as one value. They fail where an argument has no number
// (arithmetic_number), where there is no list but one is needed, or where arguments are missing.
#pragma once

#include "evaluation/operators/outcome.h"

namespace flagstone::evaluation::operators {

Outcome add(const Value& arguments, Arena& arena);       // One argument: to a number.
Outcome subtract(const Value& arguments, Arena& arena);  // One argument: its negative.
Outcome multiply(const Value& arguments, Arena& arena);
Outcome divide(const Value& arguments, Arena& arena);
Outcome modulo(const Value& arguments, Arena& arena);
Outcome absolute(const Value& arguments, Arena& arena);
// null when the list is empty.
Outcome maximum(const Value& arguments, Arena& arena);
Outcome minimum(const Value& arguments, Arena& arena);

}  // namespace flagstone::evaluation::operators
