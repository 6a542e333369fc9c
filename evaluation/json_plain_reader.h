// Reads ordinary JSON into Values at the speed of its tokens: the quick way inside JsonReader.
//
// Says yes only to a whole object or array that is valid JSON (grammar and UTF-8); on whatever is
// wrong or unusual (deep nesting, \u escapes, numbers that may not fit) it gives up, and JsonReader
// has to look in its thorough way. One per JsonReader; its memory grows to the most members and
// items ever open at once, and stays.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "evaluation/arena.h"
#include "evaluation/value.h"

namespace flagstone::evaluation {

class JsonPlainReader {
 public:
  explicit JsonPlainReader(std::size_t depth_max);

  // Strings without escapes point into `text`, everything else into the arena.
  std::optional<Value> read(std::string_view text, Arena& arena);

 private:
  // These begin at a token's first byte, or behind it where it said which token it is, and return
  // where the token ends, or nullptr to give up. What they read is in value_ or string_.
  const char* value(const char* at);
  const char* other_value(const char* at);
  const char* array(const char* at);
  const char* object(const char* at);
  const char* string(const char* at);
  const char* odd_string(const char* begin, const char* at);
  const char* number(const char* at);
  const char* literal(const char* at, std::string_view text, Value meaning);
  const char* end_container(const char* at);
  static const char* skip_space(const char* at);

  const std::size_t depth_max_;
  std::size_t depth_ = 0;
  const char* end_ = nullptr;
  bool has_wide_bytes_ = false;
  Arena* arena_ = nullptr;
  Value value_;
  std::string_view string_;
  // Of all containers that are open.
  std::vector<Value> items_;
  std::vector<Member> members_;
};

}  // namespace flagstone::evaluation
