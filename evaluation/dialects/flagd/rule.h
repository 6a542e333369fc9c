// A targeting rule ready to run: a tree of nodes of 16 bytes, the arguments of each side by side,
// whose operators are known and whose literals are Values.
//
// Immutable; owned by the compiled record (or, for rules that come out of data, by the evaluation's
// arena). Made by rule_compiler.h, run by interpreter.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "evaluation/operators/fractional.h"
#include "evaluation/operators/outcome.h"
#include "evaluation/value.h"

namespace flagstone::evaluation::flagd {

enum class Op : std::uint8_t {
  kLiteral,    // `value` as it is.
  kFail,       // Evaluating it fails, with `value` as the reason.
  kReference,  // `{"$ref": value}`.
  kVariable,   // `{"var": value}` with a path that is not empty: the common form of kVar.
  kAttribute,  // As kVariable, with a name that is no path and not $flagd: the commonest.
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
  kRollout,  // fractional with entries that are constants: `rollout`.
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

struct Rollout;

struct Node {
  Op op = Op::kLiteral;
  // Whether the rule gave a list of arguments; else there is exactly one, which may turn out to be
  // a list.
  bool has_list = false;
  Value::Type value_type = Value::Type::kNull;
  std::uint32_t size = 0;  // Of the value, or the number of arguments.
  union {
    std::uint64_t value_bits = 0;  // kLiteral to kAttribute
    const Rollout* rollout;        // kRollout
    const Node* arguments;         // all others
  };

  static Node holding(Op op, const Value& value) {
    const Value::Parts parts = value.parts();
    Node node;
    node.op = op;
    node.value_type = parts.type;
    node.size = parts.size;
    node.value_bits = parts.bits;
    return node;
  }
  bool holds_value() const { return op <= Op::kAttribute; }
  // REQUIRES: holds_value().
  Value value() const { return Value::of({value_type, size, value_bits}); }
  // REQUIRES: neither holds_value() nor kRollout.
  std::span<const Node> args() const { return {arguments, size}; }
};
static_assert(sizeof(Node) == 16);

struct Rollout {
  // What users are bucketed by; the literal null where the rule leaves that to the targeting key.
  Node bucket_by;
  // At least one; the weights' sum is at most kWeightSumMax.
  std::span<const operators::WeightedValue> entries;
};

// The operator of that name, or nullptr.
const Op* find_operator(std::string_view name);

// REQUIRES: op >= kFirstPureOp.
operators::Outcome apply_pure(Op op, const Value& arguments, Arena& arena);

}  // namespace flagstone::evaluation::flagd
