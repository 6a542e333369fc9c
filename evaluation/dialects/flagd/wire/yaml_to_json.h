// Turns a YAML document into the JSON text flagd would make of it.
//
// A pure function. Plain scalars get YAML's core types (null, true/false, numbers), quoted ones are
// strings; a number that is also JSON keeps its spelling. Aliases, merge keys and further documents
// are refused. Every value stands on the same line as in the YAML, so that errors found in the JSON
// point to the right line.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "evaluation/dialects/flagd/wire/document_scanner.h"

namespace flagstone::evaluation::flagd {

inline constexpr std::size_t kYamlBytesMax = 1024 * 1024;

std::expected<std::string, DocumentError> yaml_to_json(std::string_view yaml);

}  // namespace flagstone::evaluation::flagd
