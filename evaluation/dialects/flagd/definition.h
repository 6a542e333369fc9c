// A flag definition as it stands in flagd's document, checked but not yet compiled.
//
// Views into the record's text and into the reader's memory: valid as long as both stay.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "evaluation/value.h"

namespace flagstone::evaluation::flagd {

struct WrittenMember {
  std::string_view escaped_name;  // Between its quotes.
  std::string_view value;         // As spelled.
};

struct FlagDefinition {
  bool disabled = false;
  // Absent also when it was null or "".
  std::optional<std::string_view> default_variant;
  std::vector<WrittenMember> variants;
  // Absent also when it was null or {}.
  std::optional<Value> targeting;
  std::vector<WrittenMember> metadata;
};

}  // namespace flagstone::evaluation::flagd
