// Reads a JSON text into Values, in one validating pass.
//
// One per thread or per use; its memory grows to the largest text seen and stays, so that reading
// again allocates nothing. The Values are valid until the next read(), until the arena given is
// reset, and as long as the text stays: strings without escapes point into it. Integers that 64
// bits cannot hold become doubles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "evaluation/arena.h"
#include "evaluation/value.h"

namespace flagstone::evaluation {

struct JsonError {
  enum class Kind : std::uint8_t {
    kMalformed,   // Not JSON, or not UTF-8.
    kTooDeep,     // Nested deeper than allowed.
    kUnreadable,  // JSON by its grammar, but no value: a number past double's range, a lone
                  // surrogate.
  };
  Kind kind = Kind::kMalformed;
  std::string message;  // With the byte offset where known.
};

class JsonReader {
 public:
  explicit JsonReader(std::size_t depth_max);
  ~JsonReader();
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;

  std::expected<Value, JsonError> read(std::string_view text, Arena& arena);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flagstone::evaluation
