// One record's text to its compiled form: parse.h, then rule_compiler.h, then packed.
//
// Pure functions; see Dialect::compile for what fails.
#pragma once

#include <string_view>

#include "evaluation/dialect.h"

namespace flagstone::evaluation::flagd {

CompileResult compile_flag(std::string_view raw);
CompileResult compile_evaluator(std::string_view raw);
CompileResult compile_metadata(std::string_view raw);

}  // namespace flagstone::evaluation::flagd
