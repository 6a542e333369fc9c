// A flag and a segment as they stand in LaunchDarkly's data, checked but not yet compiled.
//
// Views into the record's text, the arena and the reader's memory: valid as long as all stay.
// Source: go-server-sdk-evaluation v3 (ldmodel).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "evaluation/dialects/launchdarkly/wire/detail.h"
#include "evaluation/value.h"

namespace flagstone::evaluation::launchdarkly {

struct ClauseDefinition {
  std::string_view context_kind;
  std::string_view attribute;
  std::string_view op;
  std::span<const Value> values;
  bool negate = false;
};

struct WeightedVariationDefinition {
  std::int64_t variation = 0;
  std::int64_t weight = 0;
  bool untracked = false;
};

struct RolloutDefinition {
  std::string_view kind;
  std::string_view context_kind;
  std::string_view bucket_by;
  std::optional<std::int64_t> seed;
  std::span<const WeightedVariationDefinition> variations;
};

// What a rule, or the fallthrough, answers with.
struct ChoiceDefinition {
  std::optional<std::int64_t> variation;
  RolloutDefinition rollout;
};

struct RuleDefinition {
  std::string_view id;
  std::span<const ClauseDefinition> clauses;
  ChoiceDefinition choice;
  bool track_events = false;
};

struct TargetDefinition {
  std::string_view context_kind;
  // Strings, all of them.
  std::span<const Value> values;
  std::int64_t variation = 0;
};

struct PrerequisiteDefinition {
  std::string_view key;
  std::int64_t variation = 0;
};

struct FlagDefinition {
  // The key is the one that stands in the text.
  FlagFacts facts;
  std::string_view salt;
  bool on = false;
  bool is_pin = false;
  std::span<const PrerequisiteDefinition> prerequisites;
  std::span<const TargetDefinition> targets;
  std::span<const TargetDefinition> context_targets;
  std::span<const RuleDefinition> rules;
  ChoiceDefinition fallthrough;
  std::optional<std::int64_t> off_variation;
  // As spelled.
  std::span<const std::string_view> variations;
};

struct SegmentRuleDefinition {
  std::span<const ClauseDefinition> clauses;
  std::optional<std::int64_t> weight;
  std::string_view bucket_by;
  std::string_view rollout_context_kind;
};

struct SegmentDefinition {
  std::string_view key;
  std::string_view salt;
  std::span<const Value> included;
  std::span<const Value> excluded;
  std::span<const TargetDefinition> included_contexts;
  std::span<const TargetDefinition> excluded_contexts;
  std::span<const SegmentRuleDefinition> rules;
  bool unbounded = false;
  std::string_view unbounded_context_kind;
  bool has_generation = false;
};

}  // namespace flagstone::evaluation::launchdarkly
