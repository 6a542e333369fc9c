#include "upstream/flagd_check.h"

#include <utility>

#include "evaluation/dialects/flagd/wire/decode_document.h"

namespace flagstone::upstream {
namespace {

evaluation::flagd::DocumentFormat format_of(const config::Source& source) {
  using evaluation::flagd::DocumentFormat;
  if (source.format == config::DocumentFormat::kJson) return DocumentFormat::kJson;
  if (source.format == config::DocumentFormat::kYaml) return DocumentFormat::kYaml;
  return evaluation::flagd::format_of_path(source.path).value_or(DocumentFormat::kJson);
}

}  // namespace

std::vector<DocumentProblem> check_flagd_document(const config::Source& source,
                                                  std::string_view bytes,
                                                  const evaluation::Dialect& dialect) {
  std::vector<DocumentProblem> problems;
  for (auto& found : evaluation::flagd::check_document(bytes, format_of(source), dialect)) {
    problems.push_back({.line = found.line, .message = std::move(found.message)});
  }
  return problems;
}

}  // namespace flagstone::upstream
