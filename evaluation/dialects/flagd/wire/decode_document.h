// A whole flagd document in memory to an Update, and everything wrong with one for `check`.
//
// Pure functions. For documents that arrive in chunks see document_scanner.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "evaluation/dialect.h"
#include "evaluation/dialects/flagd/wire/document_scanner.h"
#include "evaluation/update.h"

namespace flagstone::evaluation::flagd {

enum class DocumentFormat : std::uint8_t { kJson, kYaml };

// By a file's name: `.json`, `.yaml`, `.yml`, in any case. Nothing for others.
std::optional<DocumentFormat> format_of_path(std::string_view path);
// By a Content-Type header: anything with `yaml` is YAML, everything else JSON.
DocumentFormat format_of_content_type(std::string_view content_type);

inline constexpr std::size_t kDocumentBytesMaxDefault = 64 * 1024 * 1024;

std::expected<Update, DocumentError> decode_document(
    std::string_view bytes, DocumentFormat format,
    std::size_t document_bytes_max = kDocumentBytesMaxDefault);

// One thing wrong in a document. `line` is 0 when it has no place.
struct DocumentProblem {
  std::size_t line = 0;
  std::string message;
};

// Decodes and compiles everything: what would refuse the document, and every record that would be
// quarantined. Empty when all is well.
std::vector<DocumentProblem> check_document(
    std::string_view bytes, DocumentFormat format, const Dialect& dialect,
    std::size_t document_bytes_max = kDocumentBytesMaxDefault);

}  // namespace flagstone::evaluation::flagd
