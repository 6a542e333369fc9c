#include "evaluation/dialects/launchdarkly/answer.h"

#include "evaluation/json_text.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

Reason reason_of(ReasonKind kind) {
  switch (kind) {
    case ReasonKind::kOff:
      return Reason::kDisabled;
    case ReasonKind::kFallthrough:
      return Reason::kFallthrough;
    case ReasonKind::kTargetMatch:
      return Reason::kTargetingMatch;
    case ReasonKind::kRuleMatch:
      return Reason::kRuleMatch;
    case ReasonKind::kPrerequisiteFailed:
      return Reason::kPrerequisiteFailed;
    case ReasonKind::kError:
      return Reason::kError;
  }
  return Reason::kUnknown;
}

ErrorCode code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kNone:
      return ErrorCode::kNone;
    case ErrorKind::kMalformedFlag:
      return ErrorCode::kParseError;
    case ErrorKind::kUserNotSpecified:
      return ErrorCode::kTargetingKeyMissing;
    case ErrorKind::kWrongType:
      return ErrorCode::kGeneral;
  }
  return ErrorCode::kGeneral;
}

void add(std::string& members, std::string_view member) {
  if (!members.empty()) members += ',';
  members += member;
}

std::string_view metadata_of(const CompiledFlag& flag, const Detail& detail, Scratch& scratch) {
  const std::string_view of_variation =
      detail.variation_index < 0
          ? std::string_view()
          : flag.variations[static_cast<std::size_t>(detail.variation_index)].metadata();
  const bool plain = !detail.in_experiment && detail.rule_index < 0 &&
                     detail.reason != ReasonKind::kPrerequisiteFailed &&
                     detail.big_segments == BigSegmentsStatus::kNone;
  if (plain) return of_variation;
  std::string& members = scratch.metadata;
  members.assign(of_variation);
  if (detail.in_experiment) add(members, R"("inExperiment":true)");
  if (detail.rule_index >= 0) {
    add(members, flag.rules[static_cast<std::size_t>(detail.rule_index)].metadata);
  }
  if (detail.reason == ReasonKind::kPrerequisiteFailed) {
    add(members, R"("prerequisiteKey":)");
    append_json_string(members, detail.prerequisite_key);
  }
  if (detail.big_segments == BigSegmentsStatus::kNotConfigured) {
    add(members, R"("bigSegmentsStatus":"NOT_CONFIGURED")");
  }
  return members;
}

}  // namespace

Evaluation answer_of(const CompiledFlag& flag, const Detail& detail, std::string_view problem,
                     Scratch& scratch) {
  Evaluation answer;
  answer.reason = flag.is_pin ? Reason::kStatic : reason_of(detail.reason);
  answer.error = code_of(detail.error);
  answer.error_details = problem;
  answer.key_json = flag.key_json;
  answer.detail = &detail;
  answer.metadata_members = metadata_of(flag, detail, scratch);
  if (detail.variation_index < 0) return answer;
  const Variation& variation = flag.variations[static_cast<std::size_t>(detail.variation_index)];
  answer.type = variation.type;
  answer.value_json = variation.value_json();
  answer.variant = variation.name();
  answer.variant_json = variation.name_json();
  answer.value_and_variant = variation.value_and_variant();
  return answer;
}

}  // namespace flagstone::evaluation::launchdarkly
