#include "evaluation/dialects/flagd/rule.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "evaluation/operators/arithmetic.h"
#include "evaluation/operators/arrays.h"
#include "evaluation/operators/comparison.h"
#include "evaluation/operators/sem_ver.h"
#include "evaluation/operators/strings.h"

namespace flagstone::evaluation::flagd {
namespace {

struct Name {
  std::string_view text;
  Op op;
};

// Sorted, for the binary search below.
constexpr std::array kNames = std::to_array<Name>({
    {"!", Op::kNegate},
    {"!!", Op::kIsTruthy},
    {"!=", Op::kNotEqual},
    {"!==", Op::kNotStrictlyEqual},
    {"%", Op::kModulo},
    {"*", Op::kMultiply},
    {"+", Op::kAdd},
    {"-", Op::kSubtract},
    {"/", Op::kDivide},
    {"<", Op::kLessThan},
    {"<=", Op::kLessOrEqual},
    {"==", Op::kEqual},
    {"===", Op::kStrictlyEqual},
    {">", Op::kGreaterThan},
    {">=", Op::kGreaterOrEqual},
    {"?:", Op::kIf},
    {"abs", Op::kAbsolute},
    {"all", Op::kAll},
    {"and", Op::kAnd},
    {"cat", Op::kConcatenate},
    {"contains_all", Op::kContainsAll},
    {"contains_any", Op::kContainsAny},
    {"contains_none", Op::kContainsNone},
    {"ends_with", Op::kEndsWith},
    {"filter", Op::kFilter},
    {"fractional", Op::kFractional},
    {"if", Op::kIf},
    {"in", Op::kIn},
    {"map", Op::kMap},
    {"max", Op::kMaximum},
    {"merge", Op::kMerge},
    {"min", Op::kMinimum},
    {"missing", Op::kMissing},
    {"missing_some", Op::kMissingSome},
    {"none", Op::kNone},
    {"or", Op::kOr},
    {"reduce", Op::kReduce},
    {"sem_ver", Op::kSemVer},
    {"set", Op::kSet},
    {"some", Op::kSome},
    {"starts_with", Op::kStartsWith},
    {"substr", Op::kSubstring},
    {"var", Op::kVar},
});
static_assert(std::is_sorted(kNames.begin(), kNames.end(),
                             [](const Name& a, const Name& b) { return a.text < b.text; }));

using Pure = operators::Outcome (*)(const Value&, Arena&);

// In the order of Op, from kFirstPureOp on.
constexpr std::array kPure = std::to_array<Pure>({
    operators::is_in,
    operators::merge,
    operators::contains_all,
    operators::contains_any,
    operators::contains_none,
    operators::concatenate,
    operators::substring,
    operators::starts_with,
    operators::ends_with,
    operators::sem_ver,
    operators::add,
    operators::subtract,
    operators::multiply,
    operators::divide,
    operators::modulo,
    operators::absolute,
    operators::maximum,
    operators::minimum,
    operators::negate,
    operators::is_truthy,
    operators::equal,
    operators::not_equal,
    operators::strictly_equal,
    operators::not_strictly_equal,
    operators::less_than,
    operators::less_or_equal,
    operators::greater_than,
    operators::greater_or_equal,
});
static_assert(kPure.size() == static_cast<std::size_t>(Op::kGreaterOrEqual) -
                                  static_cast<std::size_t>(kFirstPureOp) + 1);

}  // namespace

const Op* find_operator(std::string_view name) {
  const auto found =
      std::lower_bound(kNames.begin(), kNames.end(), name,
                       [](const Name& entry, std::string_view text) { return entry.text < text; });
  return found != kNames.end() && found->text == name ? &found->op : nullptr;
}

operators::Outcome apply_pure(Op op, const Value& arguments, Arena& arena) {
  assert(op >= kFirstPureOp);
  return kPure[static_cast<std::size_t>(op) - static_cast<std::size_t>(kFirstPureOp)](arguments,
                                                                                      arena);
}

}  // namespace flagstone::evaluation::flagd
