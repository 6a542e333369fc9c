#include "evaluation/dialects/launchdarkly/bucket.h"

#include <array>
#include <charconv>
#include <optional>

#include "evaluation/dialects/launchdarkly/go_integer.h"
#include "evaluation/sha1.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

// Room for any integer of 64 bits.
using Digits = std::array<char, 24>;

// What is hashed of an attribute's value.
std::optional<std::string_view> hashed_text(const Value& value, Digits& digits) {
  if (value.is_string()) return value.as_string();
  if (!value.is_number()) return std::nullopt;
  const double number = value.as_double();
  const std::int64_t whole = go_integer(number);
  if (static_cast<double>(whole) != number) return std::nullopt;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), whole).ptr;
  return std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

// The first 15 hexadecimal digits, as a share of what they can be at most.
float place_of(const Sha1::Digest& digest) {
  constexpr auto kScale = static_cast<float>(0xFFFFFFFFFFFFFFFULL);
  const std::uint64_t first = ((std::uint64_t{digest[0]} << 32) | digest[1]) >> 4;
  return static_cast<float>(first) / kScale;
}

}  // namespace

Bucket bucket_of(const Bucketing& bucketing, const Context& context) {
  if (bucketing.by.kind == Attribute::Kind::kInvalid) return {Bucket::Kind::kBadAttribute, 0};
  const IndividualContext* const individual = context.find(bucketing.context_kind);
  if (individual == nullptr) return {Bucket::Kind::kNoContext, 0};
  Digits digits;
  const auto text = hashed_text(individual->value_of(bucketing.by), digits);
  if (!text) return {Bucket::Kind::kFound, 0};
  Sha1 hash;
  hash.add(bucketing.prefix);
  hash.add(*text);
  return {Bucket::Kind::kFound, place_of(hash.finish())};
}

}  // namespace flagstone::evaluation::launchdarkly
