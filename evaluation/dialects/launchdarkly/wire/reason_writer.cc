#include "evaluation/dialects/launchdarkly/wire/reason_writer.h"

#include "evaluation/dialects/launchdarkly/wire/json_integer.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

std::string_view name_of(ReasonKind kind) {
  switch (kind) {
    case ReasonKind::kOff:
      return "OFF";
    case ReasonKind::kFallthrough:
      return "FALLTHROUGH";
    case ReasonKind::kTargetMatch:
      return "TARGET_MATCH";
    case ReasonKind::kRuleMatch:
      return "RULE_MATCH";
    case ReasonKind::kPrerequisiteFailed:
      return "PREREQUISITE_FAILED";
    case ReasonKind::kError:
      return "ERROR";
  }
  return {};
}

std::string_view name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kNone:
      return {};
    case ErrorKind::kMalformedFlag:
      return "MALFORMED_FLAG";
    case ErrorKind::kUserNotSpecified:
      return "USER_NOT_SPECIFIED";
    case ErrorKind::kWrongType:
      return "WRONG_TYPE";
  }
  return {};
}

}  // namespace

void append_reason(std::string& out, const Detail& detail) {
  out.append("{\"kind\":\"").append(name_of(detail.reason)).append("\"");
  if (detail.reason == ReasonKind::kRuleMatch) {
    out += ",\"ruleIndex\":";
    append_integer(out, detail.rule_index);
    if (!detail.rule_id.empty()) {
      out += ",\"ruleId\":";
      append_json_string(out, detail.rule_id);
    }
  }
  if (detail.reason == ReasonKind::kPrerequisiteFailed) {
    out += ",\"prerequisiteKey\":";
    append_json_string(out, detail.prerequisite_key);
  }
  if (detail.in_experiment) out += ",\"inExperiment\":true";
  if (detail.reason == ReasonKind::kError) {
    out.append(",\"errorKind\":\"").append(name_of(detail.error)).append("\"");
  }
  if (detail.big_segments == BigSegmentsStatus::kNotConfigured) {
    out += ",\"bigSegmentsStatus\":\"NOT_CONFIGURED\"";
  }
  out += '}';
}

}  // namespace flagstone::evaluation::launchdarkly
