#include "evaluation/dialects/flagd/wire/decode_document.h"

#include <algorithm>
#include <cctype>
#include <tuple>

#include "evaluation/dialects/flagd/wire/yaml_to_json.h"

namespace flagstone::evaluation::flagd {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::expected<ScannedDocument, DocumentError> scan(std::string_view bytes, DocumentFormat format,
                                                   std::size_t document_bytes_max) {
  DocumentScanner scanner(document_bytes_max);
  std::string json;
  if (format == DocumentFormat::kYaml) {
    auto converted = yaml_to_json(bytes);
    if (!converted) return std::unexpected(std::move(converted.error()));
    json = std::move(*converted);
    bytes = json;
  }
  if (auto fed = scanner.feed(bytes); !fed) {
    DocumentError error = std::move(fed.error());
    // The converted text keeps lines only; its columns and offsets would mislead.
    if (format == DocumentFormat::kYaml) error.byte_offset = error.column = 0;
    return std::unexpected(std::move(error));
  }
  return scanner.finish();
}

std::string_view kind_name(const Dialect& dialect, RecordKind kind) {
  for (const KindName& known : dialect.kinds()) {
    if (known.kind == kind) return known.name;
  }
  return "record";
}

}  // namespace

std::optional<DocumentFormat> format_of_path(std::string_view path) {
  const std::string name = lower_case(path);
  if (name.ends_with(".json")) return DocumentFormat::kJson;
  if (name.ends_with(".yaml") || name.ends_with(".yml")) return DocumentFormat::kYaml;
  return std::nullopt;
}

DocumentFormat format_of_content_type(std::string_view content_type) {
  return lower_case(content_type).find("yaml") != std::string::npos ? DocumentFormat::kYaml
                                                                    : DocumentFormat::kJson;
}

std::expected<Update, DocumentError> decode_document(std::string_view bytes, DocumentFormat format,
                                                     std::size_t document_bytes_max) {
  auto document = scan(bytes, format, document_bytes_max);
  if (!document) return std::unexpected(std::move(document.error()));
  return std::move(document->update);
}

std::vector<DocumentProblem> check_document(std::string_view bytes, DocumentFormat format,
                                            const Dialect& dialect,
                                            std::size_t document_bytes_max) {
  auto document = scan(bytes, format, document_bytes_max);
  if (!document) {
    std::string message = std::move(document.error().message);
    if (document.error().column != 0) {
      message += " (column " + std::to_string(document.error().column) + ")";
    }
    return {{document.error().line, std::move(message)}};
  }
  std::vector<DocumentProblem> problems;
  if (document->update.has_metadata) {
    if (auto compiled = dialect.compile_metadata(document->update.metadata); !compiled) {
      problems.push_back({document->metadata_line, std::move(compiled.error().message)});
    }
  }
  for (std::size_t i = 0; i < document->update.records.size(); ++i) {
    const Record& record = document->update.records[i];
    auto compiled = dialect.compile({record.id.kind, record.id.set_id, record.id.key, record.raw});
    if (compiled) continue;
    problems.push_back({document->record_lines[i], std::string(kind_name(dialect, record.id.kind)) +
                                                       " \"" + record.id.key +
                                                       "\": " + compiled.error().message});
  }
  std::sort(problems.begin(), problems.end(), [](const auto& a, const auto& b) {
    return std::tie(a.line, a.message) < std::tie(b.line, b.message);
  });
  return problems;
}

}  // namespace flagstone::evaluation::flagd
