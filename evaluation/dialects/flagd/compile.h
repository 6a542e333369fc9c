// One record's text to its compiled form: parse.h, then rule_compiler.h, then packed.
//
// Pure functions apart from the bench; see Dialect::compile for what fails.
#pragma once

#include <string_view>

#include "evaluation/dialect.h"
#include "evaluation/workbench.h"

namespace flagstone::evaluation::flagd {

CompileResult compile_flag(const RecordText& text, Workbench& bench);
CompileResult compile_evaluator(const RecordText& text, Workbench& bench);
// Of `text` nothing but its raw.
CompileResult compile_metadata(const RecordText& text, Workbench& bench);

}  // namespace flagstone::evaluation::flagd
