// Percentage rollouts: which of several weighted entries a user falls into.
//
// Pure functions; they allocate nothing and do not fail except as said.
#pragma once

#include <cstdint>
#include <expected>
#include <span>

#include "evaluation/operators/outcome.h"

namespace flagstone::evaluation::operators {

// One entry `[variant]` or `[variant, weight]`, evaluated.
struct WeightedValue {
  Value value;
  std::int32_t weight = 1;
};

// The sum of weights at most; also each weight.
inline constexpr std::int64_t kWeightSumMax = 2147483647;

// Reads one entry. The weight defaults to 1, also when null; it must be whole; a negative one
// counts as 0. Fails for anything else, and for entries whose value is an array or an object.
std::expected<WeightedValue, OperatorError> read_entry(const Value& entry);

// The entry whose share of the weights holds hash / 2^32; null when all weights are 0.
Value pick_by_share(std::span<const WeightedValue> entries, std::uint32_t hash);

// As flagd did before 0.15: |signed hash| / (2^31 - 1) as a percentage. The empty string when no
// entry holds it, which for that flagd was a variant's name.
Value pick_by_percentage(std::span<const WeightedValue> entries, std::uint32_t hash);

}  // namespace flagstone::evaluation::operators
