// Everything wrong in a flagd document, for `flagstone check`: what would refuse it, and every
// record that would be quarantined.
//
// A pure function; any thread.
#pragma once

#include <string_view>
#include <vector>

#include "config/options.h"
#include "evaluation/dialect.h"
#include "upstream/document_check.h"

namespace flagstone::upstream {

// `source` says how the document is spelled (its format, else its path).
std::vector<DocumentProblem> check_flagd_document(const config::Source& source,
                                                  std::string_view bytes,
                                                  const evaluation::Dialect& dialect);

}  // namespace flagstone::upstream
