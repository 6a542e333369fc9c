#include "evaluation/dialects/launchdarkly/wire/evalx_writer.h"

#include <utility>

#include "evaluation/dialects/launchdarkly/wire/reason_writer.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

// What a flag without an account of its own gets: its text is none that an SDK would take.
constexpr Detail kNoDetail = [] {
  Detail detail;
  detail.reason = ReasonKind::kError;
  detail.error = ErrorKind::kMalformedFlag;
  return detail;
}();

// Those of the flag itself, not of its prerequisites.
void append_direct_prerequisites(std::string& out, std::string_view key, const Detail& detail) {
  bool any = false;
  for (const PrerequisiteEvaluation& prerequisite : detail.prerequisites) {
    if (prerequisite.prerequisite_of != key) continue;
    if (prerequisite.detail == nullptr || prerequisite.detail->flag == nullptr) continue;
    out += std::exchange(any, true) ? "," : ",\"prerequisites\":[";
    append_json_string(out, prerequisite.detail->flag->key);
  }
  if (any) out += ']';
}

}  // namespace

bool may_see(EvalxCaller caller, const FlagFacts& flag) {
  switch (caller) {
    case EvalxCaller::kServer:
      return true;
    case EvalxCaller::kMobile:
      return flag.for_mobile_key;
    case EvalxCaller::kBrowser:
      return flag.for_environment_id;
  }
  return false;
}

void append_evalx_member(std::string& out, std::string_view key, std::int64_t version,
                         const Evaluation& result, bool with_reasons) {
  const Detail* account = detail_of(result);
  const Detail& detail = account != nullptr ? *account : kNoDetail;
  append_json_string(out, key);
  out += ":{\"value\":";
  out += detail.value_json.empty() ? "null" : detail.value_json;
  out += ",\"variation\":";
  out += detail.variation_index < 0 ? "null" : std::to_string(detail.variation_index);
  if (detail.flag != nullptr) version = detail.flag->version;
  out.append(",\"version\":").append(std::to_string(version));
  const bool experiment = detail.is_experiment();
  if (experiment || (detail.flag != nullptr && detail.flag->track_events)) {
    out += ",\"trackEvents\":true";
  }
  if (experiment) out += ",\"trackReason\":true";
  if (with_reasons || experiment) {
    out += ",\"reason\":";
    append_reason(out, detail);
  }
  if (detail.flag != nullptr && detail.flag->debug_events_until_unix_ms.value_or(0) != 0) {
    out += ",\"debugEventsUntilDate\":";
    out += std::to_string(*detail.flag->debug_events_until_unix_ms);
  }
  append_direct_prerequisites(out, key, detail);
  out += '}';
}

}  // namespace flagstone::evaluation::launchdarkly
