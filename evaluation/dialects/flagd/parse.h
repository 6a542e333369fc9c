// Reads one record's JSON text and checks it as flagd's own parser would.
//
// Pure, apart from the arena and reader it fills. Fails with RecordError where flagd would refuse
// the text; what flagd only warns about (an unknown state, missing variants) passes.
#pragma once

#include <expected>
#include <span>
#include <string_view>

#include "evaluation/arena.h"
#include "evaluation/dialect.h"
#include "evaluation/dialects/flagd/definition.h"
#include "evaluation/json_reader.h"

namespace flagstone::evaluation::flagd {

std::expected<FlagDefinition, RecordError> parse_flag(std::string_view raw, JsonReader& reader,
                                                      Arena& arena);
std::expected<Value, RecordError> parse_evaluator(std::string_view raw, JsonReader& reader,
                                                  Arena& arena);
// All members, duplicates and nulls too.
std::expected<std::span<const WrittenMember>, RecordError> parse_metadata(std::string_view raw,
                                                                          JsonReader& reader,
                                                                          Arena& arena);

}  // namespace flagstone::evaluation::flagd
