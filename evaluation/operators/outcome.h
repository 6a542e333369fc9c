// What an operator gives: a value, or why there is none.
//
// The operators of this folder are pure functions over Values: no dialect, no context, no clock.
// New strings and arrays go into the Arena given. They fail only as said at each of them.
#pragma once

#include <cstddef>
#include <expected>
#include <string_view>

#include "evaluation/arena.h"
#include "evaluation/value.h"

namespace flagstone::evaluation::operators {

struct OperatorError {
  std::string_view message;  // For people; static text, or text in the evaluation's arena.
};

using Outcome = std::expected<Value, OperatorError>;

inline std::unexpected<OperatorError> failure(std::string_view message) {
  return std::unexpected(OperatorError{message});
}

// No operator makes a string or an array larger than this, so that a rule cannot double its way
// through the memory.
inline constexpr std::size_t kStringBytesMax = std::size_t{1} << 20;
inline constexpr std::size_t kArrayItemsMax = std::size_t{1} << 16;

}  // namespace flagstone::evaluation::operators
