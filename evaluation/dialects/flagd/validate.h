// Tells in one pass that a record would compile, without reading it into values.
//
// Pure; no allocation. Says yes only where parse.h accepts the text for sure. On whatever is
// unusual (escapes in the names that decide, duplicates, deep nesting) or wrong it says no, and
// compiling has to tell which of the two it is.
#pragma once

#include <string_view>

namespace flagstone::evaluation::flagd {

bool is_plainly_a_flag(std::string_view raw);
bool is_plainly_an_evaluator(std::string_view raw);

}  // namespace flagstone::evaluation::flagd
