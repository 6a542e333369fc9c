// Reads one record's JSON text and checks it as LaunchDarkly's own parser would.
//
// Pure, apart from the arena and reader it fills. Fails with RecordError where the vendor's parser
// would refuse the text; what it lets pass (an unknown operator, a variation that does not exist)
// passes. Of duplicate members the last counts.
#pragma once

#include <cstddef>
#include <expected>
#include <string_view>

#include "evaluation/arena.h"
#include "evaluation/dialect.h"
#include "evaluation/dialects/launchdarkly/definition.h"
#include "evaluation/json_reader.h"

namespace flagstone::evaluation::launchdarkly {

// A list of 50,000 UUIDs in a segment, with room to spare; what a file of the state can hold.
inline constexpr std::size_t kRecordBytesMax = (std::size_t{1} << 21) - 1;

// The member that says of a flag that it stands for a pin: unknown to LaunchDarkly's SDKs, which
// pass over it.
inline constexpr std::string_view kPinMember = "flagstone.pinned";

std::expected<FlagDefinition, RecordError> parse_flag(std::string_view raw, JsonReader& reader,
                                                      Arena& arena);
std::expected<SegmentDefinition, RecordError> parse_segment(std::string_view raw,
                                                            JsonReader& reader, Arena& arena);

}  // namespace flagstone::evaluation::launchdarkly
