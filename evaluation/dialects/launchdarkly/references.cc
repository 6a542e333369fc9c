#include "evaluation/dialects/launchdarkly/references.h"

#include <string>

#include "evaluation/dialects/launchdarkly/clause.h"
#include "evaluation/dialects/launchdarkly/parse.h"
#include "evaluation/dialects/launchdarkly/record_kinds.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

void add_segments(std::span<const ClauseDefinition> clauses, std::vector<RecordReference>& found) {
  for (const ClauseDefinition& clause : clauses) {
    if (operator_named(clause.op) != Operator::kSegmentMatch) continue;
    for (const Value& value : clause.values) {
      if (value.is_string()) found.push_back({kSegmentKind, std::string(value.as_string())});
    }
  }
}

}  // namespace

std::vector<RecordReference> references_of(const RecordText& text, Workbench& bench) {
  std::vector<RecordReference> found;
  if (text.kind == kSegmentKind) {
    const auto segment = parse_segment(text.raw, bench.reader, bench.arena);
    if (!segment) return found;
    for (const SegmentRuleDefinition& rule : segment->rules) add_segments(rule.clauses, found);
    return found;
  }
  const auto flag = parse_flag(text.raw, bench.reader, bench.arena);
  if (!flag) return found;
  for (const PrerequisiteDefinition& prerequisite : flag->prerequisites) {
    found.push_back({kFlagKind, std::string(prerequisite.key)});
  }
  for (const RuleDefinition& rule : flag->rules) add_segments(rule.clauses, found);
  return found;
}

}  // namespace flagstone::evaluation::launchdarkly
