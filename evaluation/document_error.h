// Why a document is none, and where. A pure value.
#pragma once

#include <cstddef>
#include <string>

namespace flagstone::evaluation {

struct DocumentError {
  // What is wrong, for people; without the place.
  std::string message;
  // Where, as far as known: bytes from the start (0-based); line and column from 1, columns in
  // bytes. line is 0 when there is no place.
  std::size_t byte_offset = 0;
  std::size_t line = 0;
  std::size_t column = 0;
};
// `line 3, column 14 (byte 57): message`, or the message alone when there is no place.
std::string to_string(const DocumentError& error);

}  // namespace flagstone::evaluation
