#include "evaluation/dialects/flagd/references.h"

#include "evaluation/dialects/flagd/flagd_dialect.h"
#include "evaluation/dialects/flagd/parse.h"
#include "evaluation/dialects/flagd/rule_use.h"

namespace flagstone::evaluation::flagd {

std::vector<std::string_view> references_of(const RecordText& text, Workbench& bench) {
  if (text.kind == kEvaluatorKind) {
    const auto rule = parse_evaluator(text.raw, bench.reader, bench.arena);
    return rule ? find_use(*rule).references : std::vector<std::string_view>();
  }
  const auto flag = parse_flag(text.raw, bench.reader, bench.arena);
  if (!flag || !flag->targeting) return {};
  return find_use(*flag->targeting).references;
}

}  // namespace flagstone::evaluation::flagd
