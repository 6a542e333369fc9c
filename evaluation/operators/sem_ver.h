// flagd's `sem_ver`: compares two semantic versions.
//
// A pure function; never fails.
#pragma once

#include "evaluation/operators/outcome.h"

namespace flagstone::evaluation::operators {

// Arguments `[version, operator, version]`. Operators: = != < <= > >= ^ (same major) ~ (same major
// and minor). A leading v or V is allowed, minor and patch may be missing, build metadata does not
// count, numbers are taken as their text. null when a version or the operator is invalid.
Outcome sem_ver(const Value& arguments, Arena& arena);

}  // namespace flagstone::evaluation::operators
