#include "evaluation/dialects/launchdarkly/clause_packer.h"

#include <algorithm>

namespace flagstone::evaluation::launchdarkly {
namespace {

std::size_t count_if(std::span<const Value> values, bool (Value::*is)() const) {
  return static_cast<std::size_t>(std::ranges::count_if(values, is));
}

// What Go takes for "no time": a clause's operand of that moment matches nothing.
constexpr Instant kNoInstant{-62'135'596'800, 0};

}  // namespace

std::string_view ClausePacker::context_kind(std::string_view written) {
  const bool is_default = written.empty() || written == kDefaultContextKind;
  return is_default ? kDefaultContextKind : packer_.text(written);
}

Attribute ClausePacker::attribute(std::string_view written, std::string_view context_kind) {
  const Attribute read = read_attribute(written, !context_kind.empty(), arena_);
  Attribute packed{.kind = read.kind, .name = {}, .deeper = {}};
  if (read.kind != Attribute::Kind::kCustom) return packed;
  packed.name = packer_.text(read.name);
  auto* const deeper = packer_.make<std::string_view>(read.deeper.size());
  for (std::size_t i = 0; i < read.deeper.size(); ++i) {
    const std::string_view name = packer_.text(read.deeper[i]);
    if (deeper != nullptr) deeper[i] = name;
  }
  packed.deeper = {deeper, deeper == nullptr ? 0 : read.deeper.size()};
  return packed;
}

std::span<const Clause> ClausePacker::clauses(std::span<const ClauseDefinition> from) {
  auto* const clauses = packer_.make<Clause>(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    const Clause packed = clause(from[i]);
    if (clauses != nullptr) clauses[i] = packed;
  }
  return {clauses, clauses == nullptr ? 0 : from.size()};
}

Clause ClausePacker::clause(const ClauseDefinition& from) {
  Clause clause;
  clause.op = operator_named(from.op);
  clause.negate = from.negate;
  clause.context_kind = context_kind(from.context_kind);
  clause.attribute = attribute(from.attribute, from.context_kind);
  switch (operand_type(clause.op)) {
    case OperandType::kNone:
      // The segments' keys.
      if (clause.op == Operator::kSegmentMatch) pack_texts(clause, from.values);
      break;
    case OperandType::kAny:
      pack_scalars(clause, from.values);
      break;
    case OperandType::kText:
      pack_texts(clause, from.values);
      break;
    case OperandType::kNumber:
      pack_numbers(clause, from.values);
      break;
    case OperandType::kInstant:
      pack_instants(clause, from.values);
      break;
    case OperandType::kVersion:
      pack_versions(clause, from.values);
      break;
    case OperandType::kRegex:
      pack_regexes(clause, from.values);
      break;
  }
  return clause;
}

void ClausePacker::pack_scalars(Clause& clause, std::span<const Value> values) {
  for (const Value& value : values) {
    if (!value.is_bool()) continue;
    (value.as_bool() ? clause.has_true : clause.has_false) = true;
  }
  clause.keys = KeySet::pack(values, packer_);
  pack_numbers(clause, values);
}

void ClausePacker::pack_numbers(Clause& clause, std::span<const Value> values) {
  auto* at = packer_.make<double>(count_if(values, &Value::is_number));
  clause.operands = at;
  if (at == nullptr) return;
  for (const Value& value : values) {
    if (!value.is_number()) continue;
    *at++ = value.as_double();
    ++clause.operand_count;
  }
}

void ClausePacker::pack_texts(Clause& clause, std::span<const Value> values) {
  auto* at = packer_.make<std::string_view>(count_if(values, &Value::is_string));
  clause.operands = at;
  for (const Value& value : values) {
    if (!value.is_string()) continue;
    const std::string_view text = packer_.text(value.as_string());
    if (at == nullptr) continue;
    *at++ = text;
    ++clause.operand_count;
  }
}

void ClausePacker::pack_instants(Clause& clause, std::span<const Value> values) {
  auto* at = packer_.make<Instant>(values.size());
  clause.operands = at;
  if (at == nullptr) return;
  for (const Value& value : values) {
    const auto instant = instant_of(value);
    if (!instant || *instant == kNoInstant) continue;
    *at++ = *instant;
    ++clause.operand_count;
  }
}

void ClausePacker::pack_versions(Clause& clause, std::span<const Value> values) {
  auto* at = packer_.make<VersionNumber>(count_if(values, &Value::is_string));
  clause.operands = at;
  for (const Value& value : values) {
    if (!value.is_string()) continue;
    auto version = read_version(value.as_string());
    if (!version) continue;
    version->prerelease = packer_.text(version->prerelease);
    if (at == nullptr) continue;
    *at++ = *version;
    ++clause.operand_count;
  }
}

void ClausePacker::pack_regexes(Clause& clause, std::span<const Value> values) {
  auto* at = packer_.make<const re2::RE2*>(
      std::min(count_if(values, &Value::is_string), RegexList::kCountMax));
  clause.operands = static_cast<const void*>(at);
  if (at == nullptr) return;
  for (const Value& value : values) {
    if (!value.is_string()) continue;
    KnownRegex* const known = regex(value.as_string());
    if (known == nullptr || known->last_operands == clause.operands) continue;
    known->last_operands = clause.operands;
    *at++ = known->regex;
    ++clause.operand_count;
  }
}

ClausePacker::KnownRegex* ClausePacker::regex(std::string_view pattern) {
  auto known = known_regexes_.find(pattern);
  if (known == known_regexes_.end()) {
    if (regexes_.is_full()) return nullptr;
    known = known_regexes_.emplace(pattern, KnownRegex{regexes_.add(pattern), nullptr}).first;
  }
  return known->second.regex == nullptr ? nullptr : &known->second;
}

std::span<const Target> ClausePacker::targets(std::span<const TargetDefinition> from) {
  auto* const keys = packer_.make<KeySet>(from.size());
  auto* const targets = packer_.make<Target>(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    const KeySet set = KeySet::pack(from[i].values, packer_);
    const std::string_view kind = context_kind(from[i].context_kind);
    if (targets == nullptr) continue;
    keys[i] = set;
    targets[i] = {&keys[i], kind, from[i].variation};
  }
  return {targets, targets == nullptr ? 0 : from.size()};
}

Bucketing ClausePacker::bucketing(std::string_view prefix, std::string_view written_kind,
                                  std::string_view bucket_by) {
  Bucketing bucketing;
  bucketing.prefix = packer_.text(prefix);
  bucketing.context_kind = context_kind(written_kind);
  bucketing.by = attribute(bucket_by, written_kind);
  if (bucketing.by.kind == Attribute::Kind::kUndefined) {
    bucketing.by.kind = Attribute::Kind::kKey;
  } else if (bucketing.by.kind == Attribute::Kind::kContextKinds) {
    bucketing.by.kind = Attribute::Kind::kKind;
  }
  return bucketing;
}

}  // namespace flagstone::evaluation::launchdarkly
