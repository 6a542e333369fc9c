// What things are called in the folder of a spool: "12.log" is log 12, "12-000.batch" the first of
// the batches that it was made into, "12-000a.batch" one half of that.
//
// Values and pure functions; any thread. A name that is none of ours is nullopt.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flagstone::upstream::launchdarkly {

struct BatchName {
  std::uint64_t number = 0;  // The log's.
  std::string ordinal;       // Three digits; behind them a letter for each time it was halved.

  // That batch of the log's, counted from 0.
  static BatchName of(std::uint64_t log, std::size_t index);
  // Before each batch of that log in order, and none itself.
  static BatchName before_all_of(std::uint64_t log) { return {.number = log, .ordinal = {}}; }
  static std::optional<BatchName> from_file_name(std::string_view name);

  // Letters are 'a' and 'b'.
  BatchName half(char letter) const { return {.number = number, .ordinal = ordinal + letter}; }
  // What this is a half of; nullopt where it is none.
  std::optional<BatchName> whole() const;
  // This itself, a half of it, or a half of a half.
  bool has_part(const BatchName& other) const;
  std::string file_name() const;

  auto operator<=>(const BatchName&) const = default;
};

std::string log_file_name(std::uint64_t number);
std::optional<std::uint64_t> log_number_of(std::string_view file_name);

}  // namespace flagstone::upstream::launchdarkly
