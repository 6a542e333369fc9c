#include "evaluation/dialects/launchdarkly/evaluator.h"

#include <algorithm>

#include "evaluation/dialects/launchdarkly/bucket.h"
#include "evaluation/dialects/launchdarkly/record_kinds.h"

namespace flagstone::evaluation::launchdarkly {

void Evaluator::evaluate(const CompiledFlag& flag, Detail& detail) {
  run(flag, nullptr, detail);
  detail.big_segments = big_segments_;
  if (evaluated_count_ == 0) return;
  const auto evaluated = arena_.make_array<PrerequisiteEvaluation>(evaluated_count_);
  const Evaluated* at = first_evaluated_;
  for (PrerequisiteEvaluation& one : evaluated) {
    one = at->evaluation;
    at = at->next;
  }
  detail.prerequisites = evaluated;
}

bool Evaluator::run(const CompiledFlag& flag, const Chain* outer, Detail& detail) {
  detail.flag = &flag.facts;
  if (!flag.on) {
    detail.reason = ReasonKind::kOff;
    choose_off(flag, detail);
    return true;
  }
  if (!flag.prerequisites.empty()) {
    std::string_view failed;
    switch (check_prerequisites(flag, outer, failed)) {
      case Match::kMalformed:
        fail(problem_, detail);
        return false;
      case Match::kNo:
        detail.reason = ReasonKind::kPrerequisiteFailed;
        detail.prerequisite_key = failed;
        choose_off(flag, detail);
        return true;
      case Match::kYes:
        break;
    }
  }
  if (const Target* const target = matching_target(flag)) {
    detail.reason = ReasonKind::kTargetMatch;
    choose(flag, target->variation, detail);
    return true;
  }
  return follow_rules(flag, detail);
}

bool Evaluator::follow_rules(const CompiledFlag& flag, Detail& detail) {
  for (std::size_t i = 0; i < flag.rules.size(); ++i) {
    const Rule& rule = flag.rules[i];
    const Match match = matches_all(rule.clauses, nullptr);
    if (match == Match::kNo) continue;
    if (match == Match::kMalformed) {
      fail(problem_, detail);
      return false;
    }
    detail.reason = ReasonKind::kRuleMatch;
    detail.rule_index = static_cast<int>(i);
    detail.rule_id = rule.id;
    detail.rule_track_events = rule.track_events;
    choose(flag, rule.choice, detail);
    return true;
  }
  detail.reason = ReasonKind::kFallthrough;
  choose(flag, flag.fallthrough, detail);
  return true;
}

Evaluator::Match Evaluator::malformed(std::string_view problem) {
  problem_ = problem;
  return Match::kMalformed;
}

bool Evaluator::enter(Chain& link) {
  link.depth = link.outer == nullptr ? 1 : link.outer->depth + 1;
  if (link.depth > kDepthMax) {
    problem_ = "prerequisites or segments are nested deeper than 256";
    return false;
  }
  if (++visits_ > kVisitsMax) {
    problem_ = "more than 10000 prerequisites and segments to look at";
    return false;
  }
  for (const Chain* at = link.outer; at != nullptr; at = at->outer) {
    if (at->record != link.record) continue;
    problem_ = "prerequisites or segments refer to each other in a circle";
    return false;
  }
  return true;
}

Evaluator::Match Evaluator::check_prerequisites(const CompiledFlag& flag, const Chain* outer,
                                                std::string_view& failed) {
  Chain link{&flag, outer, 0};
  if (!enter(link)) return Match::kMalformed;
  for (const Prerequisite& prerequisite : flag.prerequisites) {
    failed = prerequisite.key;
    const auto* const needed =
        static_cast<const CompiledFlag*>(lookup_.find(kFlagKind, {}, prerequisite.key));
    if (needed == nullptr) return Match::kNo;
    for (const Chain* at = &link; at != nullptr; at = at->outer) {
      if (at->record == needed) {
        return malformed("prerequisites refer to each other in a circle");
      }
    }
    Detail& detail = *arena_.make_array<Detail>(1).data();
    if (!run(*needed, &link, detail)) return Match::kMalformed;
    record(flag.facts.key, detail);
    if (!needed->on || detail.variation_index < 0 ||
        detail.variation_index != prerequisite.variation) {
      return Match::kNo;
    }
  }
  return Match::kYes;
}

void Evaluator::record(std::string_view of, const Detail& detail) {
  Evaluated* const evaluated = arena_.make_array<Evaluated>(1).data();
  *evaluated = {{of, &detail}, nullptr};
  (last_evaluated_ == nullptr ? first_evaluated_ : last_evaluated_->next) = evaluated;
  last_evaluated_ = evaluated;
  ++evaluated_count_;
}

const Target* Evaluator::matching_target(const CompiledFlag& flag) const {
  for (const Target& target : flag.targets) {
    const IndividualContext* const individual = context_.find(target.context_kind);
    if (individual != nullptr && target.keys->contains(individual->key)) return &target;
  }
  return nullptr;
}

Evaluator::Match Evaluator::matches_all(std::span<const Clause> clauses, const Chain* segments) {
  for (const Clause& clause : clauses) {
    if (const Match match = matches(clause, segments); match != Match::kYes) return match;
  }
  return Match::kYes;
}

Evaluator::Match Evaluator::matches(const Clause& clause, const Chain* segments) {
  checks_ += 1 + (clause.op == Operator::kSegmentMatch ? clause.operand_count : 0);
  if (checks_ > kChecksMax) return malformed("more than 1000000 clauses to look at");
  if (clause.op == Operator::kSegmentMatch) {
    const Match match = is_in_any_segment(clause, segments);
    if (match == Match::kMalformed || !clause.negate) return match;
    return match == Match::kYes ? Match::kNo : Match::kYes;
  }
  if (clause.attribute.kind == Attribute::Kind::kUndefined) {
    return malformed("a clause names no attribute");
  }
  if (clause.attribute.kind == Attribute::Kind::kInvalid) {
    return malformed("a clause's attribute is no attribute reference");
  }
  return clause.matches(context_) ? Match::kYes : Match::kNo;
}

Evaluator::Match Evaluator::is_in_any_segment(const Clause& clause, const Chain* segments) {
  for (const std::string_view key : clause.operands_as<std::string_view>()) {
    const auto* const segment =
        static_cast<const CompiledSegment*>(lookup_.find(kSegmentKind, {}, key));
    if (segment == nullptr) continue;
    if (const Match match = is_in_segment(*segment, segments); match != Match::kNo) return match;
  }
  return Match::kNo;
}

bool Evaluator::is_listed(std::span<const Target> lists) const {
  return std::ranges::any_of(lists, [this](const Target& list) {
    const IndividualContext* const individual = context_.find(list.context_kind);
    return individual != nullptr && list.keys->contains(individual->key);
  });
}

Evaluator::Match Evaluator::is_in_segment(const CompiledSegment& segment, const Chain* outer) {
  Chain link{&segment, outer, 0};
  if (!enter(link)) return Match::kMalformed;
  if (segment.unbounded) {
    // Its lists are kept elsewhere, where nobody asks: its rules alone may still match.
    const bool concerns = context_.find(segment.unbounded_context_kind) != nullptr;
    if (concerns || !segment.has_generation) big_segments_ = BigSegmentsStatus::kNotConfigured;
    if (!concerns || !segment.has_generation) return Match::kNo;
  } else {
    const IndividualContext* const user = context_.find(kDefaultContextKind);
    const bool only_user = user != nullptr && context_.individuals.size() == 1;
    if (user != nullptr && segment.included.contains(user->key)) return Match::kYes;
    if (!only_user && is_listed(segment.included_contexts)) return Match::kYes;
    if (user != nullptr && segment.excluded.contains(user->key)) return Match::kNo;
    if (!only_user && is_listed(segment.excluded_contexts)) return Match::kNo;
  }
  for (const SegmentRule& rule : segment.rules) {
    if (const Match match = is_in_rule(rule, &link); match != Match::kNo) return match;
  }
  return Match::kNo;
}

Evaluator::Match Evaluator::is_in_rule(const SegmentRule& rule, const Chain* segments) {
  const Match match = matches_all(rule.clauses, segments);
  if (match != Match::kYes || !rule.share) return match;
  const Bucket bucket = bucket_of(rule.bucketing, context_);
  switch (bucket.kind) {
    case Bucket::Kind::kBadAttribute:
      return malformed("a segment's bucketBy is no attribute reference");
    case Bucket::Kind::kNoContext:
      return Match::kNo;
    case Bucket::Kind::kFound:
      break;
  }
  return bucket.place < *rule.share ? Match::kYes : Match::kNo;
}

void Evaluator::choose(const CompiledFlag& flag, const Choice& choice, Detail& detail) {
  if (choice.variation) return choose(flag, *choice.variation, detail);
  if (choice.rollout == nullptr) {
    return fail("a rule has neither a variation nor a rollout with variations", detail);
  }
  const Rollout& rollout = *choice.rollout;
  const Bucket bucket = bucket_of(rollout.bucketing, context_);
  if (bucket.kind == Bucket::Kind::kBadAttribute) {
    return fail("a rollout's bucketBy is no attribute reference", detail);
  }
  const auto found = std::ranges::find_if(
      rollout.variations, [&](const WeightedVariation& one) { return bucket.place < one.end; });
  const bool beyond = found == rollout.variations.end();
  const WeightedVariation& chosen = beyond ? rollout.variations.back() : *found;
  const bool has_context = beyond || bucket.kind != Bucket::Kind::kNoContext;
  detail.in_experiment = rollout.is_experiment && !chosen.untracked && has_context;
  choose(flag, chosen.variation, detail);
}

void Evaluator::choose(const CompiledFlag& flag, std::int64_t index, Detail& detail) {
  if (index < 0 || static_cast<std::uint64_t>(index) >= flag.variations.size()) {
    return fail("a variation is named that does not exist", detail);
  }
  detail.variation_index = static_cast<int>(index);
  detail.value_json = flag.variations[static_cast<std::size_t>(index)].value_json();
}

void Evaluator::choose_off(const CompiledFlag& flag, Detail& detail) {
  if (flag.off_variation) choose(flag, *flag.off_variation, detail);
}

void Evaluator::fail(std::string_view problem, Detail& detail) {
  problem_ = problem;
  const FlagFacts* const flag = detail.flag;
  detail = {};
  detail.flag = flag;
  detail.reason = ReasonKind::kError;
  detail.error = ErrorKind::kMalformedFlag;
}

}  // namespace flagstone::evaluation::launchdarkly
