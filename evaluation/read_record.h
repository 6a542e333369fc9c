// Reads one record's text, for whichever dialect.
//
// Pure, apart from the reader and arena it fills. Fails with RecordError: what is no JSON is
// malformed, what is too long or too deep is too large, what is JSON and no value is refused.
#pragma once

#include <cstddef>
#include <expected>
#include <string_view>

#include "evaluation/arena.h"
#include "evaluation/dialect.h"
#include "evaluation/json_reader.h"
#include "evaluation/value.h"

namespace flagstone::evaluation {

std::expected<Value, RecordError> read_record(std::string_view raw, std::size_t bytes_max,
                                              JsonReader& reader, Arena& arena);

}  // namespace flagstone::evaluation
