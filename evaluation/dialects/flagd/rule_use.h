// What a rule, as written, refers to: the clock and evaluators.
//
// A pure function. Errs on the side of the clock: a variable whose name is computed may be
// $flagd.timestamp.
#pragma once

#include <string_view>
#include <vector>

#include "evaluation/value.h"

namespace flagstone::evaluation::flagd {

struct FoundUse {
  bool reads_clock = false;
  std::vector<std::string_view> references;  // Sorted, each once.
};

FoundUse find_use(const Value& rule);

}  // namespace flagstone::evaluation::flagd
