#include "evaluation/operators/fractional.h"

#include <cmath>

namespace flagstone::evaluation::operators {
namespace {

std::int64_t sum_of_weights(std::span<const WeightedValue> entries) {
  std::int64_t sum = 0;
  for (const WeightedValue& entry : entries) sum += entry.weight;
  return sum;
}

}  // namespace

std::expected<WeightedValue, OperatorError> read_entry(const Value& entry) {
  if (!entry.is_array() || entry.items().empty()) {
    return failure("an entry of fractional is not [variant, weight]");
  }
  const auto items = entry.items();
  if (items[0].is_array() || items[0].is_object()) {
    return failure("an entry of fractional has no plain value");
  }
  if (items.size() < 2 || items[1].is_null()) return WeightedValue{items[0], 1};
  if (!items[1].is_number()) return failure("a weight of fractional is not a number");
  const double weight = items[1].as_double();
  if (weight != std::trunc(weight)) return failure("a weight of fractional is not whole");
  if (weight > static_cast<double>(kWeightSumMax)) return failure("a weight is too large");
  return WeightedValue{items[0], weight < 0 ? 0 : static_cast<std::int32_t>(weight)};
}

Value pick_by_share(std::span<const WeightedValue> entries, std::uint32_t hash) {
  const auto total = static_cast<std::uint64_t>(sum_of_weights(entries));
  const std::uint64_t bucket = hash * total >> 32;
  std::uint64_t end = 0;
  for (const WeightedValue& entry : entries) {
    end += static_cast<std::uint64_t>(entry.weight);
    if (bucket < end) return entry.value;
  }
  return Value::null();
}

Value pick_by_percentage(std::span<const WeightedValue> entries, std::uint32_t hash) {
  const auto total = static_cast<double>(sum_of_weights(entries));
  const double size = std::fabs(static_cast<double>(static_cast<std::int32_t>(hash)));
  const double bucket = size / 2147483647.0 * 100;
  double end = 0;
  for (const WeightedValue& entry : entries) {
    if (total != 0) end += 100 * static_cast<double>(entry.weight) / total;
    if (bucket < end) return entry.value;
  }
  return Value::string("");
}

}  // namespace flagstone::evaluation::operators
