// The value of an evaluation as a typed call asks for it: boolean, string, float, int or object.
//
// Pure. Source: flagd core/pkg/evaluator/json.go (Resolve…Value) and the reference's part 2.3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "evaluation/evaluation.h"

namespace flagstone::evaluation::flagd {

enum class AskedType : std::uint8_t { kBoolean, kString, kFloat, kInt, kObject };

// Views point into the evaluation, or into the room given for casts.
struct TypedValue {
  AskedType type = AskedType::kBoolean;
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;
  // The JSON text of a string (with its quotes), a float or an object.
  std::string_view json;
};

// Nullopt when the value is of another type (TYPE_MISMATCH). Numbers asked for as int are cut
// towards zero; integers keep all their 64 bits, and what has more is of another type. With `loose`
// string, number and bool are cast into each other when nothing is lost but spelling:
// "true" ↔ true, 1 ↔ true, 0 ↔ false, "1.5" ↔ 1.5.
// REQUIRES: evaluation.type is not kNone.
std::optional<TypedValue> typed_value(const Evaluation& evaluation, AskedType type, bool loose,
                                      std::string& room);

}  // namespace flagstone::evaluation::flagd
