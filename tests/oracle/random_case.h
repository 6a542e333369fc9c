// Random flags, segments and contexts of LaunchDarkly's, as JSON: the same for the same number.
//
// What is drawn comes from small pools, so that rules match, segments and prerequisites meet and
// run in circles, and odd values (dates, versions, attribute references, regular expressions, wrong
// types) come often.
//
// Not drawn is what Flagstone does otherwise than LaunchDarkly's Go evaluator, on purpose:
//
// - A member that comes twice in one object: the last one counts whole, as everywhere here. (Go
//   puts lists together and mixes objects.)
// - A record whose own `key` is not the one it is stored under: events and circles go by the one it
//   is stored under, since apps ask by that one. (Go: its own.)
// - More than 256 prerequisites or segments inside each other, or 10,000 of them or 1,000,000
//   clauses looked at for one answer: the flag is malformed. (Go: as far as its stack goes.)
// - A regular expression whose program takes more than 128 KiB matches nothing. (Go: is used.)
// - `(?<name>...)` and `\C` are what the installed RE2 takes them for, older ones no name and one
//   byte. (Go: a name, and an error.) `(?P<name>...)` works everywhere.
// - Integers that 64 bits do not hold are the nearest double. (Go: they wrap around.)
// - Invalid UTF-8, lone surrogates, nesting beyond 128 and records beyond the limit are refused, as
//   for every vendor. (Go: taken.)
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace flagstone::oracle {

struct RandomCase {
  using Named = std::pair<std::string, std::string>;

  // Keys and texts.
  std::vector<Named> flags;
  std::vector<Named> segments;
  std::vector<std::string> contexts;

  // The line that asks the oracle.
  std::string json() const;
};

RandomCase make_case(std::uint64_t number);

}  // namespace flagstone::oracle
