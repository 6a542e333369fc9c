// The pins file: `{"flag-key": value}` as JSON or YAML, what an operator switches by hand.
//
// Pure: bytes in, values out. At most 1 MiB; aliases and duplicate keys are refused.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"

namespace flagstone::config {

struct Pin {
  std::string key;
  std::string json;  // The value as JSON text, numbers as they were spelled.
  bool operator==(const Pin&) const = default;
};

// `file_name` is only for the problems' places. An empty file holds no pins.
std::expected<std::vector<Pin>, ProblemList> parse_pins(std::string_view text,
                                                        std::string_view file_name);

}  // namespace flagstone::config
