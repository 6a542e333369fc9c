// JsonLogic's operators over arrays that need no rule of their own.
//
// Each takes its arguments as one value.
#pragma once

#include "evaluation/operators/outcome.h"

namespace flagstone::evaluation::operators {

// `in`: a string in a string, or a value in an array. An inner array is a range of two numbers; a
// number is compared with what the elements are as numbers. Fails when one has none.
Outcome is_in(const Value& arguments, Arena& arena);
// `merge`: one array of all elements, arrays among them opened once. Fails for null and objects
// alone, and past kArrayItemsMax.
Outcome merge(const Value& arguments, Arena& arena);
// `contains_*`: whether the first array has all, any or none of the second's elements. Without two
// arrays: false, false and true. Fails when two arrays or two objects must be compared.
Outcome contains_all(const Value& arguments, Arena& arena);
Outcome contains_any(const Value& arguments, Arena& arena);
Outcome contains_none(const Value& arguments, Arena& arena);
// `set`: the object with one property replaced; anything that is no object comes back as it is.
Outcome set_property(const Value& arguments, Arena& arena);

}  // namespace flagstone::evaluation::operators
