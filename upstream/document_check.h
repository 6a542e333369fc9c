// What checking a vendor's document finds; the shape of the functions that check one. Pure values.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "evaluation/dialect.h"

namespace flagstone::upstream {

struct DocumentProblem {
  std::size_t line = 0;  // From 1; 0 when it has no place.
  std::string message;
};

// A vendor's row in main's table has one of these.
using CheckDocument = std::function<std::vector<DocumentProblem>(
    const config::Source& source, std::string_view bytes, const evaluation::Dialect& dialect)>;

}  // namespace flagstone::upstream
