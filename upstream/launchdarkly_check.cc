#include "upstream/launchdarkly_check.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>

#include "evaluation/dialects/launchdarkly/wire/data_scanner.h"

namespace flagstone::upstream {
namespace {

std::string kind_name(const evaluation::Dialect& dialect, evaluation::RecordKind kind) {
  for (const evaluation::KindName& known : dialect.kinds()) {
    if (known.kind == kind) return std::string(known.name);
  }
  return "record";
}

}  // namespace

std::vector<DocumentProblem> check_launchdarkly_document(const config::Source&,
                                                         std::string_view bytes,
                                                         const evaluation::Dialect& dialect) {
  using evaluation::launchdarkly::DataScanner;
  using evaluation::launchdarkly::DataShape;
  DataScanner scanner(DataShape::kPlain, bytes.size(), bytes.size());
  auto fed = scanner.feed(bytes);
  auto scanned = fed ? scanner.finish() : std::unexpected(std::move(fed.error()));
  if (!scanned) {
    std::string message = std::move(scanned.error().message);
    if (scanned.error().column != 0) {
      message += " (column " + std::to_string(scanned.error().column) + ")";
    }
    return {{.line = scanned.error().line, .message = std::move(message)}};
  }
  std::vector<DocumentProblem> problems;
  for (std::size_t i = 0; i < scanned->update.records.size(); ++i) {
    const evaluation::Record& record = scanned->update.records[i];
    if (record.tombstone) continue;
    auto compiled = dialect.compile({record.id.kind, record.id.set_id, record.id.key, record.raw});
    if (compiled) continue;
    problems.push_back({.line = scanned->record_lines[i],
                        .message = kind_name(dialect, record.id.kind) + " \"" + record.id.key +
                                   "\": " + compiled.error().message});
  }
  std::ranges::sort(problems, [](const DocumentProblem& a, const DocumentProblem& b) {
    return std::tie(a.line, a.message) < std::tie(b.line, b.message);
  });
  return problems;
}

}  // namespace flagstone::upstream
