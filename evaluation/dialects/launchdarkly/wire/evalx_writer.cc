#include "evaluation/dialects/launchdarkly/wire/evalx_writer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "evaluation/dialects/launchdarkly/wire/json_integer.h"
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

// `KEY:{"value":…,"variation":…,"version":…`, into room that was made for all of it at once: most
// members are no longer.
void append_beginning(std::string& out, std::string_view key_json, std::int64_t version,
                      const Detail& detail) {
  constexpr std::size_t kDigitsMax = 24;
  constexpr std::size_t kFrameBytesMax = 64 + 2 * kDigitsMax;
  const std::size_t size = out.size();
  const std::size_t room = size + key_json.size() + detail.value_json.size() + kFrameBytesMax;
  out.resize_and_overwrite(room, [&](char* begin, std::size_t) {
    char* at = begin + size;
    const auto put = [&at](std::string_view piece) {
      at = std::copy(piece.begin(), piece.end(), at);
    };
    const auto put_integer = [&at](std::int64_t number) {
      at = std::to_chars(at, at + kDigitsMax, number).ptr;
    };
    put(key_json);
    put(":{\"value\":");
    put(detail.value_json.empty() ? "null" : detail.value_json);
    put(",\"variation\":");
    if (detail.variation_index < 0) {
      put("null");
    } else {
      put_integer(detail.variation_index);
    }
    put(",\"version\":");
    put_integer(version);
    return static_cast<std::size_t>(at - begin);
  });
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
  const FlagFacts* const flag = detail.flag;
  // What never compiled has no key prepared.
  if (result.key_json.empty()) append_json_string(out, key);
  append_beginning(out, result.key_json, flag != nullptr ? flag->version : version, detail);
  const bool experiment = detail.is_experiment();
  if (experiment || (flag != nullptr && flag->track_events)) out += ",\"trackEvents\":true";
  if (experiment) out += ",\"trackReason\":true";
  if (with_reasons || experiment) {
    out += ",\"reason\":";
    append_reason(out, detail);
  }
  if (flag != nullptr && flag->debug_events_until_unix_ms.value_or(0) != 0) {
    out += ",\"debugEventsUntilDate\":";
    append_integer(out, *flag->debug_events_until_unix_ms);
  }
  append_direct_prerequisites(out, key, detail);
  out += '}';
}

}  // namespace flagstone::evaluation::launchdarkly
