// The interpreter's `fractional`: what a user is bucketed by, then the choice.
#include "evaluation/dialects/flagd/interpreter.h"
#include "evaluation/murmur3.h"
#include "evaluation/operators/cbor.h"
#include "evaluation/operators/fractional.h"

namespace flagstone::evaluation::flagd {

using operators::Outcome;

std::optional<std::uint32_t> Interpreter::hash_of(const Value& bucket_by) {
  if (in_.fractional != FractionalVersion::kV3) return murmur3_x86_32(bucket_by.as_string());
  const std::string_view encoded = operators::encode_cbor(bucket_by, arena_);
  if (encoded.empty()) return std::nullopt;
  return murmur3_x86_32(encoded);
}

std::optional<std::uint32_t> Interpreter::default_hash(const Data& data) {
  const Value* key = data.value.member("targetingKey");
  if (key == nullptr || !key->is_string() || key->as_string().empty()) return std::nullopt;
  std::string_view flag_key = in_.flag_key;
  if (!data.is_root) {
    const Value* flagd = data.value.member("$flagd");
    const Value* inner = flagd == nullptr ? nullptr : flagd->member("flagKey");
    flag_key = inner != nullptr && inner->is_string() ? inner->as_string() : std::string_view();
  }
  if (in_.fractional == FractionalVersion::kV3) {
    const Value pair[] = {Value::string(flag_key), *key};
    return hash_of(Value::array(pair));
  }
  if (data.is_root && in_.flag_key_hash != nullptr) {
    return in_.flag_key_hash->hash_with(key->as_string());
  }
  return Murmur3Beginning(flag_key).hash_with(key->as_string());
}

Value Interpreter::pick(std::span<const operators::WeightedValue> entries,
                        std::uint32_t hash) const {
  return in_.fractional == FractionalVersion::kV1 ? operators::pick_by_percentage(entries, hash)
                                                  : operators::pick_by_share(entries, hash);
}

Outcome Interpreter::fractional(const Node& node, const Data& data) {
  const Outcome arguments = arguments_of(node, data);
  if (!arguments) return arguments;
  return fractional_of(*arguments, data);
}

// Every mistake gives null, and so the default variant, as flagd has it.
Outcome Interpreter::fractional_of(const Value& arguments, const Data& data) {
  if (!arguments.is_array() || arguments.items().empty() || !data.value.is_object()) {
    return Value::null();
  }
  auto items = arguments.items();
  const Value& first = items[0];
  const bool v3 = in_.fractional == FractionalVersion::kV3;
  const bool given = v3 ? !first.is_array() && !first.is_null() : first.is_string();
  if (given || first.is_null()) items = items.subspan(1);
  const auto hash = given ? hash_of(first) : default_hash(data);
  if (!hash) return Value::null();

  const auto entries = arena_.make_array<operators::WeightedValue>(items.size());
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto entry = operators::read_entry(items[i]);
    if (!entry) return Value::null();
    entries[i] = *entry;
    sum += entry->weight;
  }
  if (sum > operators::kWeightSumMax) return Value::null();
  return pick(entries, *hash);
}

Outcome Interpreter::rollout(const Node& node, const Data& data) {
  const Rollout& rollout = *node.rollout;
  const bool constant = rollout.bucket_by.op == Op::kLiteral;
  const Outcome by =
      constant ? Outcome(rollout.bucket_by.value()) : evaluate(rollout.bucket_by, data);
  if (!by) return by;
  if (!data.value.is_object()) return Value::null();
  if (by->is_string()) {
    const auto hash = hash_of(*by);
    return hash ? pick(rollout.entries, *hash) : Value::null();
  }
  if (by->is_null()) {
    const auto hash = default_hash(data);
    return hash ? pick(rollout.entries, *hash) : Value::null();
  }
  // What there is to bucket by is not what was expected, and may be an entry itself.
  const auto arguments = arena_.make_array<Value>(rollout.entries.size() + 1);
  arguments[0] = *by;
  for (std::size_t i = 0; i < rollout.entries.size(); ++i) {
    const auto entry = arena_.make_array<Value>(2);
    entry[0] = rollout.entries[i].value;
    entry[1] = Value::integer(rollout.entries[i].weight);
    arguments[i + 1] = Value::array(entry);
  }
  return fractional_of(Value::array(arguments), data);
}

}  // namespace flagstone::evaluation::flagd
