#include "evaluation/dialects/launchdarkly/parse.h"

#include <string>
#include <utility>

#include "evaluation/dialects/launchdarkly/typed_members.h"
#include "evaluation/json_cursor.h"
#include "evaluation/read_record.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

using Members = std::span<const Member>;

std::unexpected<RecordError> refused(std::string message) {
  return std::unexpected(RecordError{RecordError::Kind::kRefused, std::move(message)});
}

std::expected<Members, RecordError> read(std::string_view raw, JsonReader& reader, Arena& arena) {
  auto value = read_record(raw, kRecordBytesMax, reader, arena);
  if (!value) return std::unexpected(std::move(value.error()));
  if (!value->is_object()) return refused("the record is not an object");
  return value->members();
}

// The readers of each object of a record. Members that they do not know are passed over.
class Parser {
 public:
  explicit Parser(Arena& arena) : typed_(arena) {}

  const std::string& problem() const { return typed_.problem(); }

  // Its variations apart, whose spelling is not in the values.
  FlagDefinition flag(Members members);
  SegmentDefinition segment(Members members);

 private:
  void flag_rules(FlagDefinition& flag, const Member& member);
  void flag_tracking(FlagDefinition& flag, const Member& member);
  std::span<const ClauseDefinition> clauses(const Member& member);
  std::span<const TargetDefinition> targets(const Member& member);
  std::span<const RuleDefinition> rules(const Member& member);
  SegmentRuleDefinition segment_rule(Members members);
  ChoiceDefinition choice(Members members);
  bool choice_member(ChoiceDefinition& choice, const Member& member);
  RolloutDefinition rollout(const Member& member);
  void availability(FlagDefinition& flag, Members members);

  TypedMembers typed_;
  // What `clientSideAvailability` says, or, without it, the older `clientSide`.
  bool has_availability_ = false;
  bool client_side_ = false;
};

std::span<const ClauseDefinition> Parser::clauses(const Member& member) {
  const auto clause_of = [this](Members members) {
    ClauseDefinition clause;
    for (const Member& m : members) {
      if (m.name == "contextKind") clause.context_kind = typed_.text(m);
      if (m.name == "attribute") clause.attribute = typed_.text_or_null(m);
      if (m.name == "op") clause.op = typed_.text(m);
      if (m.name == "values") clause.values = typed_.list_or_null(m);
      if (m.name == "negate") clause.negate = typed_.boolean(m);
    }
    return clause;
  };
  return typed_.each<ClauseDefinition>(member, typed_.list_or_null(member), clause_of);
}

std::span<const TargetDefinition> Parser::targets(const Member& member) {
  const auto target_of = [this](Members members) {
    TargetDefinition target;
    for (const Member& m : members) {
      if (m.name == "contextKind") target.context_kind = typed_.text(m);
      if (m.name == "values") target.values = typed_.texts_or_null(m);
      if (m.name == "variation") target.variation = typed_.integer(m);
    }
    return target;
  };
  return typed_.each<TargetDefinition>(member, typed_.list_or_null(member), target_of);
}

RolloutDefinition Parser::rollout(const Member& member) {
  RolloutDefinition rollout;
  const auto weighted_of = [this](Members members) {
    WeightedVariationDefinition weighted;
    for (const Member& m : members) {
      if (m.name == "variation") weighted.variation = typed_.integer(m);
      if (m.name == "weight") weighted.weight = typed_.integer(m);
      if (m.name == "untracked") weighted.untracked = typed_.boolean(m);
    }
    return weighted;
  };
  for (const Member& m : typed_.object_or_null(member)) {
    if (m.name == "kind") rollout.kind = typed_.text(m);
    if (m.name == "contextKind") rollout.context_kind = typed_.text(m);
    if (m.name == "bucketBy") rollout.bucket_by = typed_.text_or_null(m);
    if (m.name == "seed") rollout.seed = typed_.integer_or_null(m);
    if (m.name == "variations") {
      rollout.variations = typed_.each<WeightedVariationDefinition>(m, typed_.list(m), weighted_of);
    }
  }
  return rollout;
}

bool Parser::choice_member(ChoiceDefinition& choice, const Member& member) {
  if (member.name == "variation") {
    choice.variation = typed_.integer_or_null(member);
  } else if (member.name == "rollout") {
    choice.rollout = rollout(member);
  } else {
    return false;
  }
  return true;
}

ChoiceDefinition Parser::choice(Members members) {
  ChoiceDefinition choice;
  for (const Member& member : members) choice_member(choice, member);
  return choice;
}

std::span<const RuleDefinition> Parser::rules(const Member& member) {
  const auto rule_of = [this](Members members) {
    RuleDefinition rule;
    for (const Member& m : members) {
      if (choice_member(rule.choice, m)) continue;
      if (m.name == "id") rule.id = typed_.text(m);
      if (m.name == "clauses") rule.clauses = clauses(m);
      if (m.name == "trackEvents") rule.track_events = typed_.boolean(m);
    }
    return rule;
  };
  return typed_.each<RuleDefinition>(member, typed_.list_or_null(member), rule_of);
}

void Parser::availability(FlagDefinition& flag, Members members) {
  flag.facts.for_environment_id = false;
  flag.facts.for_mobile_key = false;
  for (const Member& m : members) {
    if (m.name == "usingEnvironmentId") flag.facts.for_environment_id = typed_.boolean(m);
    if (m.name == "usingMobileKey") flag.facts.for_mobile_key = typed_.boolean(m);
  }
}

void Parser::flag_rules(FlagDefinition& flag, const Member& m) {
  const auto prerequisite_of = [this](Members members) {
    PrerequisiteDefinition prerequisite;
    for (const Member& p : members) {
      if (p.name == "key") prerequisite.key = typed_.text(p);
      if (p.name == "variation") prerequisite.variation = typed_.integer(p);
    }
    return prerequisite;
  };
  if (m.name == "prerequisites") {
    flag.prerequisites =
        typed_.each<PrerequisiteDefinition>(m, typed_.list_or_null(m), prerequisite_of);
  }
  if (m.name == "targets") flag.targets = targets(m);
  if (m.name == "contextTargets") flag.context_targets = targets(m);
  if (m.name == "rules") flag.rules = rules(m);
  if (m.name == "fallthrough") flag.fallthrough = choice(typed_.object(m));
  if (m.name == "offVariation") flag.off_variation = typed_.integer_or_null(m);
  if (m.name == "variations") typed_.list_or_null(m);
}

void Parser::flag_tracking(FlagDefinition& flag, const Member& m) {
  if (m.name == "trackEvents") flag.facts.track_events = typed_.boolean(m);
  if (m.name == "trackEventsFallthrough") flag.facts.track_events_fallthrough = typed_.boolean(m);
  if (m.name == "debugEventsUntilDate") {
    flag.facts.debug_events_until_unix_ms = typed_.integer_or_null(m);
  }
  if (m.name == "excludeFromSummaries") flag.facts.exclude_from_summaries = typed_.boolean(m);
  if (m.name == "samplingRatio") flag.facts.sampling_ratio = typed_.integer(m);
  if (m.name != "migration") return;
  for (const Member& inner : typed_.object_or_null(m)) {
    if (inner.name == "checkRatio") typed_.integer(inner);
  }
}

FlagDefinition Parser::flag(Members members) {
  FlagDefinition flag;
  for (const Member& m : members) {
    if (m.name == "key") flag.facts.key = typed_.text(m);
    if (m.name == "version") flag.facts.version = typed_.integer(m);
    if (m.name == "deleted") typed_.boolean(m);
    if (m.name == "on") flag.on = typed_.boolean(m);
    if (m.name == "salt") flag.salt = typed_.text(m);
    if (m.name == kPinMember) flag.is_pin = m.value.is_bool() && m.value.as_bool();
    if (m.name == "clientSide") client_side_ = typed_.boolean(m);
    if (m.name == "clientSideAvailability") {
      has_availability_ = !m.value.is_null();
      availability(flag, typed_.object_or_null(m));
    }
    flag_rules(flag, m);
    flag_tracking(flag, m);
  }
  if (!has_availability_) {
    flag.facts.for_mobile_key = true;
    flag.facts.for_environment_id = client_side_;
  }
  return flag;
}

SegmentRuleDefinition Parser::segment_rule(Members members) {
  SegmentRuleDefinition rule;
  for (const Member& m : members) {
    if (m.name == "id") typed_.text(m);
    if (m.name == "clauses") rule.clauses = clauses(m);
    if (m.name == "weight") rule.weight = typed_.integer_or_null(m);
    if (m.name == "bucketBy") rule.bucket_by = typed_.text_or_null(m);
    if (m.name == "rolloutContextKind") rule.rollout_context_kind = typed_.text(m);
  }
  return rule;
}

SegmentDefinition Parser::segment(Members members) {
  SegmentDefinition segment;
  for (const Member& m : members) {
    if (m.name == "key") segment.key = typed_.text(m);
    if (m.name == "version") typed_.integer(m);
    if (m.name == "generation") segment.has_generation = typed_.integer_or_null(m).has_value();
    if (m.name == "deleted") typed_.boolean(m);
    if (m.name == "included") segment.included = typed_.texts_or_null(m);
    if (m.name == "excluded") segment.excluded = typed_.texts_or_null(m);
    if (m.name == "includedContexts") segment.included_contexts = targets(m);
    if (m.name == "excludedContexts") segment.excluded_contexts = targets(m);
    if (m.name == "salt") segment.salt = typed_.text(m);
    if (m.name == "unbounded") segment.unbounded = typed_.boolean(m);
    if (m.name == "unboundedContextKind") segment.unbounded_context_kind = typed_.text(m);
    if (m.name == "rules") {
      segment.rules = typed_.each<SegmentRuleDefinition>(
          m, typed_.list_or_null(m), [this](Members rule) { return segment_rule(rule); });
    }
  }
  return segment;
}

// The items of the member `variations`, as they are spelled.
std::span<const std::string_view> written_variations(std::string_view raw, Members members,
                                                     Arena& arena) {
  std::size_t at = members.size();
  while (at != 0 && members[at - 1].name != "variations") --at;
  if (at == 0 || members[at - 1].value.is_null()) return {};
  const auto written = arena.make_array<std::string_view>(members[at - 1].value.items().size());
  JsonCursor object(raw);
  std::string_view name;
  std::string_view value;
  for (; at != 0; --at) object.next(name, value);
  JsonCursor list(value);
  for (std::string_view& item : written) list.next_item(item);
  return written;
}

}  // namespace

std::expected<FlagDefinition, RecordError> parse_flag(std::string_view raw, JsonReader& reader,
                                                      Arena& arena) {
  const auto members = read(raw, reader, arena);
  if (!members) return std::unexpected(members.error());
  Parser parser(arena);
  FlagDefinition definition = parser.flag(*members);
  if (!parser.problem().empty()) return refused(parser.problem());
  definition.variations = written_variations(raw, *members, arena);
  return definition;
}

std::expected<SegmentDefinition, RecordError> parse_segment(std::string_view raw,
                                                            JsonReader& reader, Arena& arena) {
  const auto members = read(raw, reader, arena);
  if (!members) return std::unexpected(members.error());
  Parser parser(arena);
  const SegmentDefinition definition = parser.segment(*members);
  if (!parser.problem().empty()) return refused(parser.problem());
  return definition;
}

}  // namespace flagstone::evaluation::launchdarkly
