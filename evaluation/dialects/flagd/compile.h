// One record's text to its compiled form: parse.h, then rule_compiler.h, then packed.
//
// Pure functions apart from the bench; see Dialect::compile for what fails.
#pragma once

#include <string_view>

#include "evaluation/dialect.h"
#include "evaluation/dialects/flagd/workbench.h"

namespace flagstone::evaluation::flagd {

CompileResult compile_flag(std::string_view raw, Workbench& bench);
CompileResult compile_evaluator(std::string_view raw, Workbench& bench);
CompileResult compile_metadata(std::string_view raw, Workbench& bench);

}  // namespace flagstone::evaluation::flagd
