// A targeting rule ready to run: a tree of nodes whose operators are known and whose literals are
// Values.
//
// Immutable; owned by the compiled record (or, for rules that come out of data, by the evaluation's
// arena). Made by rule_compiler.h, run by interpreter.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "evaluation/operators/outcome.h"
#include "evaluation/value.h"

namespace flagstone::evaluation::flagd {

enum class Op : std::uint8_t {
  kLiteral,    // `value` as it is.
  kFail,       // Evaluating it fails, with `value` as the reason.
  kReference,  // `{"$ref": value}`.
  kVariable,   // `{"var": value}` with a name that is not empty: the common form of kVar.
  kArray,      // An array of the arguments' results.
  // Operators that look at the data or decide themselves what to evaluate.
  kVar,
  kMissing,
  kMissingSome,
  kAnd,
  kOr,
  kIf,
  // These hold [subject, rule (, start)]; a subject or rule that must stay as written is a literal.
  kFilter,
  kMap,
  kReduce,
  kAll,
  kNone,
  kSome,
  kFractional,
  kSet,
  // Pure functions of their arguments.
  kIn,
  kMerge,
  kContainsAll,
  kContainsAny,
  kContainsNone,
  kConcatenate,
  kSubstring,
  kStartsWith,
  kEndsWith,
  kSemVer,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kAbsolute,
  kMaximum,
  kMinimum,
  kNegate,
  kIsTruthy,
  kEqual,
  kNotEqual,
  kStrictlyEqual,
  kNotStrictlyEqual,
  kLessThan,
  kLessOrEqual,
  kGreaterThan,
  kGreaterOrEqual,
};
inline constexpr Op kFirstPureOp = Op::kIn;

struct Node {
  Node() : value() {}

  Op op = Op::kLiteral;
  // Whether the rule gave a list of arguments; else there is exactly one, which may turn out to be
  // a list.
  bool has_list = false;
  std::uint32_t argument_count = 0;
  union {
    Value value;            // kLiteral, kFail, kReference, kVariable
    const Node* arguments;  // all others
  };

  bool holds_value() const { return op <= Op::kVariable; }
  std::span<const Node> args() const { return {arguments, argument_count}; }
};

// The operator of that name, or nullptr.
const Op* find_operator(std::string_view name);

// REQUIRES: op >= kFirstPureOp.
operators::Outcome apply_pure(Op op, const Value& arguments, Arena& arena);

}  // namespace flagstone::evaluation::flagd
