// The evaluators that a flag's targeting, or an evaluator, names. Pure, apart from the bench, whose
// memory the names lie in.
#pragma once

#include <string_view>
#include <vector>

#include "evaluation/dialect.h"
#include "evaluation/workbench.h"

namespace flagstone::evaluation::flagd {

// Sorted, each once; none when the text does not compile.
std::vector<std::string_view> references_of(const RecordText& text, Workbench& bench);

}  // namespace flagstone::evaluation::flagd
