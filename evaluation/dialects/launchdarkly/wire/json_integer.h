// Appends a whole number as JSON.
//
// Pure.
#pragma once

#include <charconv>
#include <concepts>
#include <iterator>
#include <string>

namespace flagstone::evaluation::launchdarkly {

template <std::integral Number>
void append_integer(std::string& out, Number number) {
  char digits[24];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
  out.append(std::begin(digits), end);
}

}  // namespace flagstone::evaluation::launchdarkly
