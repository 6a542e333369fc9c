// The prerequisites and segments that a flag or a segment names. Pure, apart from the bench.
#pragma once

#include <vector>

#include "evaluation/dialect.h"
#include "evaluation/workbench.h"

namespace flagstone::evaluation::launchdarkly {

// None when the text does not compile.
std::vector<RecordReference> references_of(const RecordText& text, Workbench& bench);

}  // namespace flagstone::evaluation::launchdarkly
