// What an operator gives: a value, or why there is none.
//
// The operators of this folder are pure functions over Values: no dialect, no context, no clock.
// New strings and arrays go into the Arena given. They fail only as said at each of them.
#pragma once

#include <cassert>
#include <cstddef>
#include <expected>
#include <string_view>

#include "evaluation/arena.h"
#include "evaluation/value.h"

namespace flagstone::evaluation::operators {

struct OperatorError {
  std::string_view message;  // For people; static text, or text in the evaluation's arena.
};

// As std::expected<Value, OperatorError>, in a Value's 16 bytes, so that it is returned in
// registers: a rule of a few operators passes dozens of them.
class Outcome {
 public:
  constexpr Outcome(const Value& value) : value_(value) {}
  constexpr Outcome(const std::unexpected<OperatorError>& failure)
      : value_(Value::failure(failure.error().message)) {}

  constexpr bool has_value() const { return !value_.is_failure(); }
  constexpr explicit operator bool() const { return has_value(); }
  // REQUIRES: has_value().
  constexpr const Value& operator*() const { return assert(has_value()), value_; }
  constexpr const Value* operator->() const { return assert(has_value()), &value_; }
  // REQUIRES: !has_value().
  constexpr OperatorError error() const { return {value_.failure_message()}; }

 private:
  Value value_;
};

inline std::unexpected<OperatorError> failure(std::string_view message) {
  return std::unexpected(OperatorError{message});
}

// No operator makes a string or an array larger than this, so that a rule cannot double its way
// through the memory.
inline constexpr std::size_t kStringBytesMax = std::size_t{1} << 20;
inline constexpr std::size_t kArrayItemsMax = std::size_t{1} << 16;

}  // namespace flagstone::evaluation::operators
