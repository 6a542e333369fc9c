// Writes JSON text as protobuf's Struct.
//
// One per serving thread, or per use. Works in two steps, since a protobuf length stands before
// what it counts: JSON into tokens with sizes, tokens into bytes. Its memory grows to the largest
// value seen and stays, so that writing again allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "evaluation/arena.h"

namespace flagstone::evaluation::flagd {

class StructWriter {
 public:
  // Reads a JSON object; what it gives is the Struct's size. REQUIRES: valid JSON, nested at most
  // as deep as records may be.
  std::size_t measure(std::string_view object_json);
  // The Struct measured last, without a tag or a length before it.
  void append(std::string& out) const;

  // The field `field` of a message, with what measure() and append() do.
  void append_field(std::string& out, std::uint32_t field, std::string_view object_json);

 private:
  enum class Kind : std::uint8_t { kNull, kFalse, kTrue, kNumber, kString, kObject, kArray };
  // A value, or a member's name (a string). An object is followed by its names and values in turn,
  // an array by its items.
  struct Token {
    Kind kind = Kind::kNull;
    std::uint32_t count = 0;  // Of members or items.
    std::size_t size = 0;     // Of the string, Struct or ListValue.
    const char* text = nullptr;
    double number = 0;
  };
  class Reader;
  class Emitter;

  static std::size_t value_size(const Token& token);

  std::vector<Token> tokens_;
  // Strings without their escapes.
  Arena unescaped_;
  std::string escape_free_;
};

// The string `json` (with its quotes) without escapes: a view into it when it has none, else into
// `room`, which is overwritten.
std::string_view plain_string(std::string_view json, std::string& room);

}  // namespace flagstone::evaluation::flagd
