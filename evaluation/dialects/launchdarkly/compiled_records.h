// LaunchDarkly's records ready to run: a flag and a segment.
//
// Immutable once made by compile.h; read from any thread. Everything a record points to lies right
// behind it, in the same allocation, regular expressions aside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "evaluation/dialects/launchdarkly/attribute.h"
#include "evaluation/dialects/launchdarkly/clause.h"
#include "evaluation/dialects/launchdarkly/key_set.h"
#include "evaluation/dialects/launchdarkly/regex_list.h"
#include "evaluation/dialects/launchdarkly/wire/detail.h"
#include "evaluation/evaluation.h"
#include "evaluation/packed_record.h"

namespace flagstone::evaluation::launchdarkly {

// Texts that stand one after the other: the value and its index as two members of an answer, and
// what its metadata says of it.
struct Variation {
  static constexpr std::string_view kBeforeValue = "\"value\":";
  static constexpr std::string_view kBeforeName = ",\"variant\":";

  const char* chars = nullptr;
  std::uint32_t value_size = 0;
  std::uint16_t name_json_size = 0;
  std::uint8_t metadata_size = 0;
  ValueType type = ValueType::kNull;

  std::string_view value_json() const { return {chars + kBeforeValue.size(), value_size}; }
  std::string_view name_json() const {
    return {chars + kBeforeValue.size() + value_size + kBeforeName.size(), name_json_size};
  }
  std::string_view name() const {
    return name_json().substr(1, static_cast<std::size_t>(name_json_size) - 2);
  }
  std::string_view value_and_variant() const {
    return {chars, kBeforeValue.size() + value_size + kBeforeName.size() + name_json_size};
  }
  std::string_view metadata() const { return {chars + value_and_variant().size(), metadata_size}; }
};

struct WeightedVariation {
  // The share of all before it and its own.
  float end = 0;
  bool untracked = false;
  std::int64_t variation = 0;
};

// What a bucket is made of.
struct Bucketing {
  // What stands before the attribute's value in the text that is hashed: `KEY.SALT.` or `SEED.`.
  std::string_view prefix;
  std::string_view context_kind;
  Attribute by;
};

struct Rollout {
  bool is_experiment = false;
  Bucketing bucketing;
  std::span<const WeightedVariation> variations;
};

// What a rule, or the fallthrough, answers with: with neither the flag is malformed.
struct Choice {
  std::optional<std::int64_t> variation;
  const Rollout* rollout = nullptr;
};

struct Rule {
  std::span<const Clause> clauses;
  Choice choice;
  std::string_view id;
  // As it stands in an answer's metadata: `,"ruleIndex":0,"ruleId":"x"`.
  std::string_view metadata;
  bool track_events = false;
};

struct Target {
  const KeySet* keys = nullptr;
  std::string_view context_kind;
  std::int64_t variation = 0;
};

struct Prerequisite {
  std::string_view key;
  std::int64_t variation = 0;
};

class CompiledFlag final : public PackedRecord<CompiledFlag> {
 public:
  FlagFacts facts;
  std::string_view key_json;
  bool on = false;
  bool is_pin = false;
  std::optional<std::int64_t> off_variation;
  std::span<const Prerequisite> prerequisites;
  std::span<const Target> targets;
  std::span<const Rule> rules;
  Choice fallthrough;
  std::span<const Variation> variations;
  RegexList regexes;

  std::size_t bytes() const override { return PackedRecord::bytes() + regexes.bytes(); }
};

struct SegmentRule {
  std::span<const Clause> clauses;
  // Whoever's bucket lies below; absent: everybody.
  std::optional<float> share;
  Bucketing bucketing;
};

class CompiledSegment final : public PackedRecord<CompiledSegment> {
 public:
  bool unbounded = false;
  bool has_generation = false;
  std::string_view unbounded_context_kind;
  KeySet included;
  KeySet excluded;
  std::span<const Target> included_contexts;
  std::span<const Target> excluded_contexts;
  std::span<const SegmentRule> rules;
  RegexList regexes;

  std::size_t bytes() const override { return PackedRecord::bytes() + regexes.bytes(); }
};

}  // namespace flagstone::evaluation::launchdarkly
