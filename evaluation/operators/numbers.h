// Numbers and their text, the way Go reads and writes them (flagd is written in Go).
//
// Pure functions; nothing allocates beyond the string appended to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace flagstone::evaluation::operators {

enum class ParsedAs : std::uint8_t {
  kNumber,
  kOutOfRange,  // `value` is infinite.
  kNoNumber,    // `value` is 0.
};
struct ParsedNumber {
  double value = 0;
  ParsedAs as = ParsedAs::kNoNumber;
};

// A decimal or hexadecimal floating-point number, `inf`, `infinity` or `nan` in any case; nothing
// around it, not even spaces.
ParsedNumber parse_number(std::string_view text);

// The fewest digits that read back as the same number, never with an exponent. REQUIRES: finite.
void append_fixed(std::string& out, double number);
// As a JSON encoder writes it: with an exponent below 1e-6 and from 1e21. REQUIRES: finite.
void append_json_number(std::string& out, double number);

// Towards zero; what does not fit becomes the least integer, as on amd64.
std::int64_t truncate(double number);

}  // namespace flagstone::evaluation::operators
