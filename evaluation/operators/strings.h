// JsonLogic's and flagd's string operators.
//
// Each takes its arguments as one value.
#pragma once

#include <string_view>

#include "evaluation/operators/outcome.h"

namespace flagstone::evaluation::operators {

// Without Unicode's white space at both ends.
std::string_view trim_space(std::string_view text);

// `cat`: the texts one after the other; of two and more the white space at both ends is dropped.
// Fails without text (text_of) or past kStringBytesMax.
Outcome concatenate(const Value& arguments, Arena& arena);
// `substr`: counts code points. A start past the end gives the whole string. Fails when the end
// lies before the start.
Outcome substring(const Value& arguments, Arena& arena);
// `starts_with`, `ends_with`: of two strings, else null. Never fail.
Outcome starts_with(const Value& arguments, Arena& arena);
Outcome ends_with(const Value& arguments, Arena& arena);

}  // namespace flagstone::evaluation::operators
