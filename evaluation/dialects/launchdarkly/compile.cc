#include "evaluation/dialects/launchdarkly/compile.h"

#include <algorithm>
#include <span>
#include <string>

#include "evaluation/dialects/launchdarkly/clause_packer.h"
#include "evaluation/dialects/launchdarkly/compiled_records.h"
#include "evaluation/dialects/launchdarkly/parse.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

// Shares are hundred-thousandths, added up in single precision, as Go does it.
constexpr float kWholeWeight = 100'000.0F;

// Packs what only flags have.
class FlagPacker {
 public:
  FlagPacker(const FlagDefinition& from, BlockPacker& packer, RegexList& regexes, Workbench& bench)
      : from_(from),
        is_pin_(from.is_pin && !from.on && from.off_variation == 0),
        packer_(packer),
        clauses_(packer, regexes, bench.arena),
        bench_(bench) {}

  void pack(CompiledFlag& flag, std::string_view key);

 private:
  std::span<const Prerequisite> prerequisites();
  std::span<const Target> targets();
  std::span<const Rule> rules();
  Choice choice(const ChoiceDefinition& from);
  const Rollout* rollout(const RolloutDefinition& from);
  std::span<const Variation> variations();
  Variation variation(std::string_view written, std::size_t index);

  const FlagDefinition& from_;
  const bool is_pin_;
  BlockPacker& packer_;
  ClausePacker clauses_;
  Workbench& bench_;
  std::string text_;
};

std::span<const Prerequisite> FlagPacker::prerequisites() {
  auto* const packed = packer_.make<Prerequisite>(from_.prerequisites.size());
  for (std::size_t i = 0; i < from_.prerequisites.size(); ++i) {
    const std::string_view key = packer_.text(from_.prerequisites[i].key);
    if (packed != nullptr) packed[i] = {key, from_.prerequisites[i].variation};
  }
  return {packed, packed == nullptr ? 0 : from_.prerequisites.size()};
}

// In the order in which they are looked at. Where there are context targets, those for users stand
// there without their keys, which are still among the older `targets`.
std::span<const Target> FlagPacker::targets() {
  const std::span<const Target> users = clauses_.targets(from_.targets);
  if (from_.context_targets.empty()) return users;
  const std::span<const Target> own = clauses_.targets(from_.context_targets);
  auto* const packed = packer_.make<Target>(from_.context_targets.size());
  if (packed == nullptr) return {};
  std::size_t count = 0;
  for (const Target& target : own) {
    if (!target.keys->is_empty() || target.context_kind != kDefaultContextKind) {
      packed[count++] = target;
      continue;
    }
    const auto user = std::ranges::find(users, target.variation, &Target::variation);
    if (user != users.end()) packed[count++] = *user;
  }
  return {packed, count};
}

const Rollout* FlagPacker::rollout(const RolloutDefinition& from) {
  if (from.variations.empty()) return nullptr;
  auto* const packed = packer_.make<Rollout>(1);
  Rollout rollout;
  rollout.is_experiment = from.kind == "experiment";
  if (from.seed) {
    text_.assign(std::to_string(*from.seed)).append(".");
  } else {
    text_.assign(from_.facts.key).append(".").append(from_.salt).append(".");
  }
  rollout.bucketing = clauses_.bucketing(
      text_, from.context_kind, rollout.is_experiment ? std::string_view() : from.bucket_by);
  auto* const variations = packer_.make<WeightedVariation>(from.variations.size());
  float sum = 0;
  for (std::size_t i = 0; i < from.variations.size(); ++i) {
    const WeightedVariationDefinition& one = from.variations[i];
    sum += static_cast<float>(one.weight) / kWholeWeight;
    if (variations != nullptr) variations[i] = {sum, one.untracked, one.variation};
  }
  if (packed == nullptr) return nullptr;
  rollout.variations = {variations, from.variations.size()};
  *packed = rollout;
  return packed;
}

Choice FlagPacker::choice(const ChoiceDefinition& from) {
  if (from.variation) return {from.variation, nullptr};
  return {std::nullopt, rollout(from.rollout)};
}

std::span<const Rule> FlagPacker::rules() {
  auto* const packed = packer_.make<Rule>(from_.rules.size());
  for (std::size_t i = 0; i < from_.rules.size(); ++i) {
    const RuleDefinition& definition = from_.rules[i];
    Rule rule;
    rule.clauses = clauses_.clauses(definition.clauses);
    rule.choice = choice(definition.choice);
    rule.id = packer_.text(definition.id);
    text_.assign(R"("ruleIndex":)").append(std::to_string(i));
    if (!definition.id.empty()) {
      text_ += R"(,"ruleId":)";
      append_json_string(text_, definition.id);
    }
    rule.metadata = packer_.text(text_);
    rule.track_events = definition.track_events;
    if (packed != nullptr) packed[i] = rule;
  }
  return {packed, packed == nullptr ? 0 : from_.rules.size()};
}

Variation FlagPacker::variation(std::string_view written, std::size_t index) {
  Variation variation;
  variation.type = type_of_json(written);
  text_.assign(Variation::kBeforeValue);
  append_minified(text_, written);
  variation.value_size = static_cast<std::uint32_t>(text_.size() - Variation::kBeforeValue.size());
  text_ += Variation::kBeforeName;
  const std::size_t name_at = text_.size();
  const std::string number = std::to_string(index);
  text_.append("\"").append(is_pin_ ? "pinned" : number).append("\"");
  variation.name_json_size = static_cast<std::uint16_t>(text_.size() - name_at);
  const std::size_t metadata_at = text_.size();
  text_ += is_pin_ ? R"("flagstone.pinned":true)" : R"("variationIndex":)" + number;
  variation.metadata_size = static_cast<std::uint8_t>(text_.size() - metadata_at);
  variation.chars = packer_.text(text_).data();
  return variation;
}

std::span<const Variation> FlagPacker::variations() {
  auto* const packed = packer_.make<Variation>(from_.variations.size());
  for (std::size_t i = 0; i < from_.variations.size(); ++i) {
    const Variation one = variation(from_.variations[i], i);
    if (packed != nullptr) packed[i] = one;
  }
  return {packed, packed == nullptr ? 0 : from_.variations.size()};
}

void FlagPacker::pack(CompiledFlag& flag, std::string_view key) {
  flag.facts = from_.facts;
  flag.facts.key = packer_.text(key);
  flag.key_json = packer_.text(bench_.key_json);
  flag.on = from_.on;
  flag.is_pin = is_pin_;
  flag.off_variation = from_.off_variation;
  flag.prerequisites = prerequisites();
  flag.targets = targets();
  flag.rules = rules();
  flag.fallthrough = choice(from_.fallthrough);
  flag.variations = variations();
}

void pack_segment(CompiledSegment& segment, const SegmentDefinition& from, BlockPacker& packer,
                  Workbench& bench) {
  ClausePacker clauses(packer, segment.regexes, bench.arena);
  segment.unbounded = from.unbounded;
  segment.has_generation = from.has_generation;
  segment.unbounded_context_kind = clauses.context_kind(from.unbounded_context_kind);
  segment.included = KeySet::pack(from.included, packer);
  segment.excluded = KeySet::pack(from.excluded, packer);
  segment.included_contexts = clauses.targets(from.included_contexts);
  segment.excluded_contexts = clauses.targets(from.excluded_contexts);
  std::string prefix(from.key);
  prefix.append(".").append(from.salt).append(".");
  auto* const rules = packer.make<SegmentRule>(from.rules.size());
  for (std::size_t i = 0; i < from.rules.size(); ++i) {
    const SegmentRuleDefinition& definition = from.rules[i];
    SegmentRule rule;
    rule.clauses = clauses.clauses(definition.clauses);
    if (definition.weight) {
      rule.share = static_cast<float>(*definition.weight) / kWholeWeight;
      rule.bucketing =
          clauses.bucketing(prefix, definition.rollout_context_kind, definition.bucket_by);
    }
    if (rules != nullptr) rules[i] = rule;
  }
  segment.rules = {rules, rules == nullptr ? 0 : from.rules.size()};
}

}  // namespace

CompileResult compile_flag(const RecordText& text, Workbench& bench) {
  const auto definition = parse_flag(text.raw, bench.reader, bench.arena);
  if (!definition) return std::unexpected(definition.error());
  bench.key_json.clear();
  append_json_string(bench.key_json, text.key);
  return pack_record<CompiledFlag>([&](CompiledFlag& flag, BlockPacker& packer) {
    FlagPacker(*definition, packer, flag.regexes, bench).pack(flag, text.key);
  });
}

CompileResult compile_segment(const RecordText& text, Workbench& bench) {
  const auto definition = parse_segment(text.raw, bench.reader, bench.arena);
  if (!definition) return std::unexpected(definition.error());
  return pack_record<CompiledSegment>([&](CompiledSegment& segment, BlockPacker& packer) {
    pack_segment(segment, *definition, packer, bench);
  });
}

}  // namespace flagstone::evaluation::launchdarkly
