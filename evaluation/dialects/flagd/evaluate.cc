#include "evaluation/dialects/flagd/evaluate.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "evaluation/dialects/flagd/interpreter.h"
#include "evaluation/json_text.h"
#include "evaluation/operators/numbers.h"

namespace flagstone::evaluation::flagd {
namespace {

// What an odd evaluation left behind beyond this is given back before the next one.
constexpr std::size_t kScratchKeptBytes = std::size_t{256} << 10;

std::int64_t whole_seconds(std::int64_t unix_ms) {
  const std::int64_t seconds = unix_ms / 1000;
  return unix_ms % 1000 < 0 ? seconds - 1 : seconds;
}

// The document's members and the flag's, which win.
std::string_view merge_metadata(const Metadata* document, const Metadata& flag, Scratch& scratch) {
  if (document == nullptr || document->members.empty()) return flag.joined;
  if (flag.members.empty()) return document->joined;
  scratch.metadata.clear();
  for (const MetadataMember& member : document->members) {
    const bool hidden =
        std::any_of(flag.members.begin(), flag.members.end(),
                    [&](const MetadataMember& own) { return own.name() == member.name(); });
    if (hidden) continue;
    scratch.metadata += member.text();
    scratch.metadata += ',';
  }
  scratch.metadata += flag.joined;
  return scratch.metadata;
}

void answer_variant(Evaluation& answer, const Variant& variant, Reason reason) {
  answer.reason = reason;
  answer.type = variant.type;
  answer.value_json = variant.value_json();
  answer.variant = variant.name();
  answer.variant_json = variant.name_json();
  answer.value_and_variant = variant.value_and_variant();
}

// Without a default variant the caller takes its code default.
void answer_default(Evaluation& answer, const CompiledFlag& flag, Reason reason) {
  if (flag.default_variant) {
    answer_variant(answer, flag.variants[*flag.default_variant], reason);
  } else {
    answer.reason = Reason::kDefault;
  }
}

void answer_error(Evaluation& answer, ErrorCode code, Scratch& scratch) {
  answer.reason = Reason::kError;
  answer.error = code;
  answer.error_details = scratch.details;
}

// The variant's name a rule's result stands for. Empty for arrays and objects, which name none.
std::string_view name_of(const Value& result, Arena& arena) {
  if (result.is_string()) return result.as_string();
  if (result.is_bool()) return result.as_bool() ? "true" : "false";
  if (!result.is_number()) return {};
  std::string text;  // Names of numbers are short: this does not allocate.
  operators::append_json_number(text, result.as_double());
  return arena.copy(text);
}

void answer_targeting(Evaluation& answer, const CompiledFlag& flag, const Value& result,
                      Scratch& scratch) {
  if (result.is_null()) return answer_default(answer, flag, Reason::kDefault);
  if (result.is_number() && !std::isfinite(result.as_double())) {
    scratch.details = "targeting gave a number that JSON cannot hold";
    return answer_error(answer, ErrorCode::kParseError, scratch);
  }
  const bool container = result.is_array() || result.is_object();
  const std::string_view name = name_of(result, scratch.arena);
  const Variant* variant = container ? nullptr : flag.find_variant(name);
  if (variant != nullptr) return answer_variant(answer, *variant, Reason::kTargetingMatch);
  if (container) {
    scratch.details = result.is_array() ? "targeting gave an array, which names no variant"
                                        : "targeting gave an object, which names no variant";
  } else {
    scratch.details = "targeting gave \"";
    scratch.details += name;
    scratch.details += "\", which names no variant";
  }
  answer_error(answer, ErrorCode::kGeneral, scratch);
}

void add_new(std::vector<std::string_view>& names, std::span<const std::string_view> more) {
  for (const std::string_view name : more) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
}

}  // namespace

Evaluation evaluate(const Subject& subject, const EvaluationContext& context,
                    const RecordLookup& lookup, Moment moment, FractionalVersion fractional,
                    Scratch& scratch) {
  // Flags are made by compile_flag() alone, documents by compile_metadata().
  const auto& flag = static_cast<const CompiledFlag&>(subject.flag);
  const auto* document = static_cast<const CompiledMetadata*>(subject.document);
  if (scratch.arena.bytes() > kScratchKeptBytes) scratch.arena = Arena();
  scratch.arena.reset();
  scratch.details.clear();

  Evaluation answer;
  answer.key_json = flag.key_json;
  answer.metadata_members =
      merge_metadata(document == nullptr ? nullptr : &document->metadata, flag.metadata, scratch);
  if (flag.disabled) {
    answer.reason = Reason::kDisabled;
    return answer;
  }
  if (flag.rule == nullptr) {
    answer_default(answer, flag, Reason::kStatic);
    return answer;
  }
  const Surroundings surroundings{
      context.attributes(), subject.key, subject.set_id, whole_seconds(moment.unix_ms),
      fractional,           lookup,      &flag.key_hash};
  const operators::Outcome result = Interpreter(surroundings, scratch.arena).run(*flag.rule);
  if (result) {
    answer_targeting(answer, flag, *result, scratch);
  } else {
    scratch.details = "targeting failed: ";
    scratch.details += result.error().message;
    answer_error(answer, ErrorCode::kParseError, scratch);
  }
  return answer;
}

bool reads_clock(const CompiledFlag& flag, const RecordLookup& lookup) {
  if (flag.use.reads_clock) return true;
  std::vector<std::string_view> names(flag.use.references.begin(), flag.use.references.end());
  // `names` grows while it is walked, each name once, so circles end.
  for (std::size_t i = 0; i < names.size(); ++i) {
    const CompiledRecord* found = lookup.find_in_any_set(kEvaluatorKind, names[i]);
    if (found == nullptr) continue;
    const auto& evaluator = static_cast<const CompiledEvaluator&>(*found);
    if (evaluator.use.reads_clock) return true;
    add_new(names, evaluator.use.references);
  }
  return false;
}

}  // namespace flagstone::evaluation::flagd
