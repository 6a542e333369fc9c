#include "evaluation/dialects/launchdarkly/clause.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flagstone::evaluation::launchdarkly {
namespace {

constexpr std::array<std::pair<std::string_view, Operator>, 15> kOperators = {{
    {"in", Operator::kIn},
    {"startsWith", Operator::kStartsWith},
    {"endsWith", Operator::kEndsWith},
    {"contains", Operator::kContains},
    {"matches", Operator::kMatches},
    {"lessThan", Operator::kLessThan},
    {"lessThanOrEqual", Operator::kLessThanOrEqual},
    {"greaterThan", Operator::kGreaterThan},
    {"greaterThanOrEqual", Operator::kGreaterThanOrEqual},
    {"before", Operator::kBefore},
    {"after", Operator::kAfter},
    {"semVerEqual", Operator::kSemVerEqual},
    {"semVerLessThan", Operator::kSemVerLessThan},
    {"semVerGreaterThan", Operator::kSemVerGreaterThan},
    {"segmentMatch", Operator::kSegmentMatch},
}};

template <typename T, typename Holds>
bool any(const Clause& clause, Holds holds) {
  return std::ranges::any_of(clause.operands_as<T>(), holds);
}

bool matches_text(const Clause& clause, std::string_view text) {
  using Text = std::string_view;
  switch (clause.op) {
    case Operator::kStartsWith:
      return any<Text>(clause, [text](Text part) { return text.starts_with(part); });
    case Operator::kEndsWith:
      return any<Text>(clause, [text](Text part) { return text.ends_with(part); });
    case Operator::kContains:
      return any<Text>(clause, [text](Text part) { return text.find(part) != Text::npos; });
    case Operator::kMatches:
      return any<const re2::RE2*>(clause, [text](const re2::RE2* regex) {
        return regex->Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED,
                            nullptr, 0);
      });
    default:
      return false;
  }
}

bool matches_version(const Clause& clause, std::string_view text) {
  const auto version = read_version(text);
  if (!version) return false;
  return any<VersionNumber>(clause, [&](const VersionNumber& operand) {
    const auto order = compare(*version, operand);
    if (clause.op == Operator::kSemVerEqual) return order == 0;
    return clause.op == Operator::kSemVerLessThan ? order < 0 : order > 0;
  });
}

bool matches_number(const Clause& clause, double number) {
  return any<double>(clause, [&](double operand) {
    switch (clause.op) {
      case Operator::kIn:
        return number == operand;
      case Operator::kLessThan:
        return number < operand;
      case Operator::kLessThanOrEqual:
        return number <= operand;
      case Operator::kGreaterThan:
        return number > operand;
      default:
        return number >= operand;
    }
  });
}

bool matches_instant(const Clause& clause, const Value& value) {
  const auto instant = instant_of(value);
  if (!instant) return false;
  return any<Instant>(clause, [&](const Instant& operand) {
    return clause.op == Operator::kBefore ? *instant < operand : *instant > operand;
  });
}

}  // namespace

Operator operator_named(std::string_view name) {
  for (const auto& [known, op] : kOperators) {
    if (known == name) return op;
  }
  return Operator::kUnknown;
}

OperandType operand_type(Operator op) {
  switch (op) {
    case Operator::kUnknown:
    case Operator::kSegmentMatch:
      return OperandType::kNone;
    case Operator::kIn:
      return OperandType::kAny;
    case Operator::kStartsWith:
    case Operator::kEndsWith:
    case Operator::kContains:
      return OperandType::kText;
    case Operator::kMatches:
      return OperandType::kRegex;
    case Operator::kLessThan:
    case Operator::kLessThanOrEqual:
    case Operator::kGreaterThan:
    case Operator::kGreaterThanOrEqual:
      return OperandType::kNumber;
    case Operator::kBefore:
    case Operator::kAfter:
      return OperandType::kInstant;
    case Operator::kSemVerEqual:
    case Operator::kSemVerLessThan:
    case Operator::kSemVerGreaterThan:
      return OperandType::kVersion;
  }
  return OperandType::kNone;
}

bool Clause::matches_value(const Value& value) const {
  switch (operand_type(op)) {
    case OperandType::kNone:
      return false;
    case OperandType::kAny:
      if (value.is_string()) return keys.contains(value.as_string());
      if (value.is_bool()) return value.as_bool() ? has_true : has_false;
      return value.is_number() && matches_number(*this, value.as_double());
    case OperandType::kText:
    case OperandType::kRegex:
      return value.is_string() && matches_text(*this, value.as_string());
    case OperandType::kNumber:
      return value.is_number() && matches_number(*this, value.as_double());
    case OperandType::kInstant:
      return matches_instant(*this, value);
    case OperandType::kVersion:
      return value.is_string() && matches_version(*this, value.as_string());
  }
  return false;
}

bool Clause::matches(const Context& context) const {
  bool found = false;
  if (attribute.kind == Attribute::Kind::kContextKinds) {
    found = std::ranges::any_of(context.individuals, [this](const IndividualContext& one) {
      return matches_value(Value::string(one.kind));
    });
    return found != negate;
  }
  const IndividualContext* const individual = context.find(context_kind);
  if (individual == nullptr) return false;
  const Value value = individual->value_of(attribute);
  if (value.is_null()) return false;
  if (value.is_array()) {
    found = std::ranges::any_of(value.items(),
                                [this](const Value& item) { return matches_value(item); });
  } else {
    found = matches_value(value);
  }
  return found != negate;
}

}  // namespace flagstone::evaluation::launchdarkly
