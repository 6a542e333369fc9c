#include "evaluation/dialects/flagd/rule.h"

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

// A table in which every name has a place of its own, so that looking one up compares once. The
// factor that keeps them apart is found while compiling.
constexpr std::size_t kSlots = 256;
constexpr std::uint8_t kEmptySlot = 0xFF;
static_assert(kNames.size() < kEmptySlot);

// REQUIRES: not empty.
constexpr std::size_t slot_of(std::string_view name, std::uint32_t factor) {
  const auto at = [name](std::size_t i) {
    return std::uint32_t{static_cast<unsigned char>(name[i])};
  };
  const auto size = static_cast<std::uint32_t>(name.size());
  const std::uint32_t mixed =
      at(0) | at(name.size() / 2) << 8 | at(name.size() - 1) << 16 | size << 24;
  return mixed * factor >> 24;
}

constexpr bool keeps_apart(std::uint32_t factor) {
  std::array<bool, kSlots> taken{};
  for (const Name& name : kNames) {
    bool& slot = taken[slot_of(name.text, factor)];
    if (slot) return false;
    slot = true;
  }
  return true;
}

constexpr std::uint32_t kFactor = [] {
  std::uint32_t factor = 0x9E3779B1;
  while (!keeps_apart(factor)) factor += 2;
  return factor;
}();

constexpr std::array<std::uint8_t, kSlots> kSlotOfName = [] {
  std::array<std::uint8_t, kSlots> slots{};
  slots.fill(kEmptySlot);
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    slots[slot_of(kNames[i].text, kFactor)] = static_cast<std::uint8_t>(i);
  }
  return slots;
}();

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
  if (name.empty()) return nullptr;
  const std::uint8_t index = kSlotOfName[slot_of(name, kFactor)];
  return index != kEmptySlot && kNames[index].text == name ? &kNames[index].op : nullptr;
}

operators::Outcome apply_pure(Op op, const Value& arguments, Arena& arena) {
  assert(op >= kFirstPureOp);
  return kPure[static_cast<std::size_t>(op) - static_cast<std::size_t>(kFirstPureOp)](arguments,
                                                                                      arena);
}

}  // namespace flagstone::evaluation::flagd
