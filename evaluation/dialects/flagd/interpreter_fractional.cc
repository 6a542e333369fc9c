// The interpreter's `fractional`: what a user is bucketed by, then the choice.
#include <algorithm>

#include "evaluation/dialects/flagd/interpreter.h"
#include "evaluation/murmur3.h"
#include "evaluation/operators/cbor.h"
#include "evaluation/operators/fractional.h"

namespace flagstone::evaluation::flagd {

using operators::Outcome;

Outcome Interpreter::default_bucket(const Data& data) {
  const Value* key = data.value.member("targetingKey");
  if (key == nullptr || !key->is_string() || key->as_string().empty()) return Value::null();
  std::string_view flag_key = in_.flag_key;
  if (!data.is_root) {
    const Value* flagd = data.value.member("$flagd");
    const Value* inner = flagd == nullptr ? nullptr : flagd->member("flagKey");
    flag_key = inner != nullptr && inner->is_string() ? inner->as_string() : std::string_view();
  }
  if (in_.fractional == FractionalVersion::kV3) {
    const auto pair = arena_.make_array<Value>(2);
    pair[0] = Value::string(flag_key);
    pair[1] = *key;
    return Value::array(pair);
  }
  const std::size_t size = flag_key.size() + key->as_string().size();
  char* text = static_cast<char*>(arena_.allocate(size, 1));
  std::copy(key->as_string().begin(), key->as_string().end(),
            std::copy(flag_key.begin(), flag_key.end(), text));
  return Value::string({text, size});
}

// Every mistake gives null, and so the default variant, as flagd has it.
Outcome Interpreter::fractional(const Node& node, const Data& data) {
  const Outcome arguments = arguments_of(node, data);
  if (!arguments) return arguments;
  if (!arguments->is_array() || arguments->items().empty() || !data.value.is_object()) {
    return Value::null();
  }
  const bool v3 = in_.fractional == FractionalVersion::kV3;
  auto items = arguments->items();
  Value bucket_by = items[0];
  const bool given = v3 ? !bucket_by.is_array() && !bucket_by.is_null() : bucket_by.is_string();
  if (given || bucket_by.is_null()) items = items.subspan(1);
  if (!given) {
    const Outcome fallback = default_bucket(data);
    if (!fallback || fallback->is_null()) return fallback;
    bucket_by = *fallback;
  }

  const auto entries = arena_.make_array<operators::WeightedValue>(items.size());
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto entry = operators::read_entry(items[i]);
    if (!entry) return Value::null();
    entries[i] = *entry;
    sum += entry->weight;
  }
  if (sum > operators::kWeightSumMax) return Value::null();

  if (v3) {
    const std::string_view encoded = operators::encode_cbor(bucket_by, arena_);
    if (encoded.empty()) return Value::null();
    return operators::pick_by_share(entries, murmur3_x86_32(encoded));
  }
  const std::uint32_t hash = murmur3_x86_32(bucket_by.as_string());
  if (in_.fractional == FractionalVersion::kV1) {
    return operators::pick_by_percentage(entries, hash);
  }
  return operators::pick_by_share(entries, hash);
}

}  // namespace flagstone::evaluation::flagd
