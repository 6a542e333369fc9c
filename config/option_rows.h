// The parts of the option table, for option_table.cc alone. Constant.
#pragma once

#include <span>

#include "config/option_table.h"

namespace flagstone::config {

std::span<const OptionRow> own_rows();
std::span<const OptionRow> flagd_rows();

}  // namespace flagstone::config
