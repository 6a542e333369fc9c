// One condition of a rule, ready to run: an attribute, an operator, and the operands that the
// operator can match at all, read beforehand.
//
// Views into the compiled record; immutable; any thread. Matching allocates nothing, apart from
// what a regular expression needs when its own memory is used up. Source:
// go-server-sdk-evaluation v3 (evaluator_clause, ldmodel/operators).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "evaluation/dialects/launchdarkly/attribute.h"
#include "evaluation/dialects/launchdarkly/context.h"
#include "evaluation/dialects/launchdarkly/instant.h"
#include "evaluation/dialects/launchdarkly/key_set.h"
#include "evaluation/dialects/launchdarkly/version_number.h"
#include "evaluation/value.h"

namespace re2 {
class RE2;
}

namespace flagstone::evaluation::launchdarkly {

enum class Operator : std::uint8_t {
  kUnknown,  // Matches nothing.
  kIn,
  kStartsWith,
  kEndsWith,
  kContains,
  kMatches,
  kLessThan,
  kLessThanOrEqual,
  kGreaterThan,
  kGreaterThanOrEqual,
  kBefore,
  kAfter,
  kSemVerEqual,
  kSemVerLessThan,
  kSemVerGreaterThan,
  kSegmentMatch,
};

Operator operator_named(std::string_view name);

// What an operator compares; kAny: `in`, which takes any scalar.
enum class OperandType : std::uint8_t {
  kNone,
  kAny,
  kText,
  kNumber,
  kInstant,
  kVersion,
  kRegex,
};
OperandType operand_type(Operator op);

struct Clause {
  Operator op = Operator::kUnknown;
  bool negate = false;
  // kIn: which booleans are listed.
  bool has_true = false;
  bool has_false = false;
  std::string_view context_kind;
  Attribute attribute;
  // kIn: the texts listed.
  KeySet keys;
  // The other operands, of the type that the operator compares: double (kIn too, and the four that
  // compare numbers), std::string_view, Instant, VersionNumber or const re2::RE2*.
  const void* operands = nullptr;
  std::uint32_t operand_count = 0;

  template <typename T>
  std::span<const T> operands_as() const {
    return {static_cast<const T*>(operands), operand_count};
  }
  // Whether any operand matches the value. REQUIRES: not kSegmentMatch.
  bool matches_value(const Value& value) const;
  // Whether the context fulfils the clause, negation included. REQUIRES: not kSegmentMatch, and an
  // attribute that is neither undefined nor invalid.
  bool matches(const Context& context) const;
};

}  // namespace flagstone::evaluation::launchdarkly
