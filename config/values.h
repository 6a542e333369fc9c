// How values are written: durations, sizes, counts, switches and choices. Pure.
//
// The errors are sentences for the operator, with the remedy: "`30` has no unit, write `30s`".
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "config/option_table.h"
#include "config/options.h"

namespace flagstone::config {

// `500ms`, `30s`, `5m`, `1h`; `0` alone needs no unit. At most 365 days.
std::expected<Milliseconds, std::string> parse_duration(std::string_view text);
// `65536` (bytes), `64KiB`, `64MiB`, `1GiB`, `1kB`, `1MB`, `1GB`.
std::expected<std::uint64_t, std::string> parse_size(std::string_view text);

std::string format_duration(Milliseconds duration);
std::string format_size(std::uint64_t bytes);

// Reads `text` into the field. A list gets its one or comma-separated items.
std::expected<void, std::string> set_field(const Field& field, std::string_view text);
// The other way, for defaults and `check`.
std::string format_field(const Field& field);

}  // namespace flagstone::config
