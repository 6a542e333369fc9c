// What the log says of an update that was taken in. Pure functions.
#pragma once

#include <cstddef>
#include <string>

#include "cache/environment.h"
#include "evaluation/dialect.h"

namespace flagstone::sidecar {

// "1 record", "5 records"
std::string records_text(std::size_t records);
// The update's records in the dialect's own words: "4 flags, 1 segment".
std::string records_text(const cache::Accepted& accepted, const evaluation::Dialect& dialect);
// "2 added, 1 changed, 0 removed: `a`, `b` and 1 more". What a first document brings is not named.
std::string changes_text(const cache::Accepted& accepted, const evaluation::Dialect& dialect);

}  // namespace flagstone::sidecar
