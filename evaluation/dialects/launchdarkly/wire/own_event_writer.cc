#include "evaluation/dialects/launchdarkly/wire/own_event_writer.h"

#include "evaluation/dialects/launchdarkly/wire/json_integer.h"
#include "evaluation/dialects/launchdarkly/wire/reason_writer.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

void begin_event(std::string& out, std::string_view kind, std::int64_t unix_ms) {
  out.append(R"({"kind":")").append(kind).append(R"(","creationDate":)");
  append_integer(out, unix_ms);
}

}  // namespace

bool append_index_event(std::string& out, std::int64_t unix_ms, EventContext& context) {
  const bool omits = context.privacy().omits_anonymous;
  if (omits && !context.has_named()) return false;
  begin_event(out, "index", unix_ms);
  out += R"(,"context":)";
  context.append_json(out,
                      omits ? EventContext::Anonymous::kOmitted : EventContext::Anonymous::kShown);
  out += '}';
  return true;
}

void append_full_event(std::string& out, FullEvent event, std::int64_t unix_ms,
                       const Detail& detail, std::string_view prerequisite_of, bool wrong_type,
                       EventContext& context) {
  const bool is_debug = event == FullEvent::kDebug;
  begin_event(out, is_debug ? "debug" : "feature", unix_ms);
  out += R"(,"key":)";
  append_json_string(out, detail.flag->key);
  out += R"(,"version":)";
  append_integer(out, detail.flag->version);
  out += R"(,"context":)";
  context.append_json(
      out, is_debug ? EventContext::Anonymous::kShown : EventContext::Anonymous::kRedacted);
  const bool has_value = detail.variation_index >= 0 && !wrong_type;
  if (has_value) {
    out += R"(,"variation":)";
    append_integer(out, detail.variation_index);
  }
  out.append(R"(,"value":)").append(has_value ? detail.value_json : "null");
  out += R"(,"default":null)";
  if (!prerequisite_of.empty()) {
    out += R"(,"prereqOf":)";
    append_json_string(out, prerequisite_of);
  }
  out += R"(,"reason":)";
  if (wrong_type) {
    out += R"({"kind":"ERROR","errorKind":"WRONG_TYPE"})";
  } else {
    append_reason(out, detail);
  }
  if (detail.flag->sampling_ratio != 1) {
    out += R"(,"samplingRatio":)";
    append_integer(out, detail.flag->sampling_ratio);
  }
  out += '}';
}

}  // namespace flagstone::evaluation::launchdarkly
