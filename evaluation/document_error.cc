#include "evaluation/document_error.h"

namespace flagstone::evaluation {

std::string to_string(const DocumentError& error) {
  if (error.line == 0) return error.message;
  return "line " + std::to_string(error.line) + ", column " + std::to_string(error.column) +
         " (byte " + std::to_string(error.byte_offset) + "): " + error.message;
}

}  // namespace flagstone::evaluation
