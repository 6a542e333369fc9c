// How values are written: durations, sizes, counts, switches and choices. Pure.
//
// The errors are sentences for the operator, with the remedy: "`30` has no unit, write `30s`".
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/option_table.h"
#include "config/options.h"

namespace flagstone::config {

// `500ms`, `30s`, `5m`, `1h`, also in a row (`1h30m`); only 0 needs no unit. At most 365 days.
std::expected<Milliseconds, std::string> parse_duration(std::string_view text);
// `65536` (bytes), `64KiB`, `64MiB`, `1GiB`, `1kB`, `1MB`, `1GB`.
std::expected<std::uint64_t, std::string> parse_size(std::string_view text);

std::string format_duration(Milliseconds duration);
std::string format_size(std::uint64_t bytes);

// "a, b,c" as a variable writes a list: its items without the spaces around them.
std::vector<std::string> split_list(std::string_view text);
// The same with spaces between the items too, as flagd's variables and file write one.
std::vector<std::string> split_words(std::string_view text);

// One item of pairs: `key=text`, several with commas between them (`a=1,b=2`), or a JSON object of
// plain values. With a single `=` everything after it is text, commas too.
std::expected<Pairs, std::string> parse_pairs(std::string_view item);

// Reads the text into the field. A list and pairs take all items, everything else exactly one.
std::expected<void, std::string> set_field(const Field& field, std::span<const std::string> items);
// The other way, for defaults and tests.
std::string format_field(const Field& field);

}  // namespace flagstone::config
