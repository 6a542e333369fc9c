// A flag definition as it stands in flagd's document, checked but not yet compiled.
//
// Views into the record's text, the arena and the reader's memory: valid as long as all stay.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "evaluation/value.h"

namespace flagstone::evaluation::flagd {

struct WrittenMember {
  std::string_view name;         // Plain.
  std::string_view quoted_name;  // As spelled.
  std::string_view value;        // As spelled.
};

struct FlagDefinition {
  bool disabled = false;
  // Absent also when it was null or "".
  std::optional<std::string_view> default_variant;
  std::span<const WrittenMember> variants;
  // Absent also when it was null or {}.
  std::optional<Value> targeting;
  std::span<const WrittenMember> metadata;
};

}  // namespace flagstone::evaluation::flagd
