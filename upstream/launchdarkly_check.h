// `flagstone check` for documents of LaunchDarkly's.
#pragma once

#include <string_view>
#include <vector>

#include "upstream/document_check.h"

namespace flagstone::upstream {

std::vector<DocumentProblem> check_launchdarkly_document(const config::Source& source,
                                                         std::string_view bytes,
                                                         const evaluation::Dialect& dialect);

}  // namespace flagstone::upstream
