// One record's text to its compiled form: parse.h, then packed.
//
// Pure functions apart from the bench; see Dialect::compile for what fails. Nothing fails that
// parse.h let pass.
#pragma once

#include <string_view>

#include "evaluation/dialect.h"
#include "evaluation/workbench.h"

namespace flagstone::evaluation::launchdarkly {

CompileResult compile_flag(const RecordText& text, Workbench& bench);
CompileResult compile_segment(const RecordText& text, Workbench& bench);

}  // namespace flagstone::evaluation::launchdarkly
