// Finding a variable in data by its dotted path: `user.address.0`.
//
// Pure, allocates nothing, never fails.
#pragma once

#include <string_view>

#include "evaluation/value.h"

namespace flagstone::evaluation::operators {

// Takes the next step of a path off its front; empty steps are skipped. False at the end.
bool next_step(std::string_view& path, std::string_view& step);

// One step into an object (by name) or an array (by index; what is no number is index 0). nullptr
// when there is nothing, or null.
const Value* step_into(const Value& data, std::string_view step);

// All steps. nullptr when there is nothing at the end, or null; the data itself for an empty path.
const Value* find_variable(const Value& data, std::string_view path);

}  // namespace flagstone::evaluation::operators
