// Passes over one whole JSON object at the speed of its tokens: the quick way beside JsonSyntax.
//
// Pure; no allocation. Says yes only to an object that is valid JSON (grammar and UTF-8), lies
// wholly in the bytes given and is not nested deeper than kQuickDepthMax; whatever else it meets,
// it gives up, and JsonSyntax has to look, which also knows what is wrong and where.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

namespace flagstone::evaluation {

inline constexpr std::size_t kQuickDepthMax = 63;
// Members of the object and of the objects in it are told of; deeper ones are not.
inline constexpr std::size_t kToldDepthMax = 2;

// A member just before its value: `value` is the value's first byte.
struct PassedMember {
  std::size_t depth = 1;
  std::string_view escaped_name;  // Between its quotes.
  const char* value = nullptr;
};
// May refuse, which gives up.
class PassedMembers {
 public:
  virtual bool take(const PassedMember& member) = 0;

 protected:
  ~PassedMembers() = default;
};

// For who wants to know where the object ends, and nothing of its members.
class NobodyWatches final : public PassedMembers {
 public:
  bool take(const PassedMember&) override { return true; }
};

struct PassedObject {
  const char* end = nullptr;         // Behind the closing brace.
  std::size_t lines = 0;             // Line ends in it.
  const char* line_start = nullptr;  // Behind the last of them; nullptr without any.
  // Whether JsonReader makes a value of it for sure: no number that may be past a double's range,
  // no surrogate escape that may stand alone.
  bool readable = true;
};

// `at`: behind the object's opening brace.
std::optional<PassedObject> pass_object(const char* at, const char* end, PassedMembers& members);

// The closing quote of the string that begins at `at`, behind its opening quote, skipping escapes;
// `end` when there is none. Reads nothing at or behind `end`.
const char* find_closing_quote(const char* at, const char* end);

}  // namespace flagstone::evaluation
