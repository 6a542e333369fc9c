#include "evaluation/dialects/launchdarkly/context.h"

#include <algorithm>

namespace flagstone::evaluation::launchdarkly {
namespace {

constexpr std::string_view kMulti = "multi";

// The members that mean something here, of duplicates the last; nullptr: none.
struct Specials {
  const Value* kind = nullptr;
  const Value* key = nullptr;
  const Value* targeting_key = nullptr;
  const Value* name = nullptr;
  const Value* anonymous = nullptr;
  const Value* private_attributes = nullptr;
};

Specials specials_of(std::span<const Member> members) {
  Specials found;
  for (const Member& member : members) {
    switch (member.name.size()) {
      case 3:
        if (same_text(member.name, "key")) found.key = &member.value;
        break;
      case 4:
        if (same_text(member.name, "kind")) found.kind = &member.value;
        if (same_text(member.name, "name")) found.name = &member.value;
        break;
      case 9:
        if (same_text(member.name, "anonymous")) found.anonymous = &member.value;
        break;
      case 12:
        if (same_text(member.name, "targetingKey")) found.targeting_key = &member.value;
        break;
      case 17:
        if (same_text(member.name, "privateAttributes")) found.private_attributes = &member.value;
        break;
      default:
        break;
    }
  }
  return found;
}

std::string_view text_of(const Value* value) {
  return value != nullptr && value->is_string() ? value->as_string() : std::string_view();
}

// What has the wrong type is dropped, as the providers do.
IndividualContext individual_of(std::span<const Member> members, const Specials& specials,
                                std::string_view kind) {
  IndividualContext individual;
  individual.kind = kind;
  const std::string_view targeting_key = text_of(specials.targeting_key);
  individual.key = targeting_key.empty() ? text_of(specials.key) : targeting_key;
  if (specials.name != nullptr && specials.name->is_string()) individual.name = *specials.name;
  individual.anonymous = specials.anonymous != nullptr && specials.anonymous->is_bool() &&
                         specials.anonymous->as_bool();
  individual.is_open_feature = true;
  individual.members = members;
  if (specials.private_attributes != nullptr && specials.private_attributes->is_array()) {
    individual.private_attributes = specials.private_attributes->items();
  }
  return individual;
}

bool is_valid(const IndividualContext& individual) {
  return !individual.key.empty() && is_context_kind(individual.kind);
}

Context multi_context_of(std::span<const Member> members, Arena& arena) {
  const auto individuals = arena.make_array<IndividualContext>(members.size());
  std::size_t count = 0;
  Context context;
  context.is_valid = true;
  for (const Member& member : members) {
    if (!member.value.is_object() || same_text(member.name, "kind")) continue;
    const Specials specials = specials_of(member.value.members());
    const Value* const key = specials.targeting_key;
    if (key != nullptr && !key->is_null() && !key->is_string()) continue;
    individuals[count] = individual_of(member.value.members(), specials, member.name);
    context.is_valid = context.is_valid && is_valid(individuals[count]);
    ++count;
  }
  context.is_valid = context.is_valid && count != 0;
  context.individuals = individuals.first(count);
  return context;
}

}  // namespace

bool is_context_kind(std::string_view text) {
  if (text.empty() || text == "kind" || text == kMulti) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

Value IndividualContext::value_of(const Attribute& attribute) const {
  switch (attribute.kind) {
    case Attribute::Kind::kUndefined:
    case Attribute::Kind::kInvalid:
    case Attribute::Kind::kNever:
      return {};
    case Attribute::Kind::kContextKinds:
    case Attribute::Kind::kKind:
      return Value::string(kind);
    case Attribute::Kind::kKey:
      return Value::string(key);
    case Attribute::Kind::kName:
      return name;
    case Attribute::Kind::kAnonymous:
      return Value::boolean(anonymous);
    case Attribute::Kind::kCustom:
      break;
  }
  if (is_open_feature && (same_text(attribute.name, "targetingKey") ||
                          same_text(attribute.name, "privateAttributes"))) {
    return {};
  }
  const Value* value = Value::object(members).member(attribute.name);
  for (const std::string_view deeper : attribute.deeper) {
    if (value != nullptr) value = value->member(deeper);
  }
  return value == nullptr ? Value() : *value;
}

Context context_of(const EvaluationContext& context, Arena& arena) {
  if (context.vendor() != nullptr) return static_cast<const Context&>(*context.vendor());
  const std::span<const Member> members = context.attributes().members();
  const Specials specials = specials_of(members);
  const std::string_view kind = text_of(specials.kind);
  if (kind == kMulti) return multi_context_of(members, arena);
  const auto individuals = arena.make_array<IndividualContext>(1);
  individuals[0] = individual_of(members, specials, kind.empty() ? kDefaultContextKind : kind);
  Context single;
  single.is_valid = is_valid(individuals[0]);
  single.individuals = individuals;
  return single;
}

}  // namespace flagstone::evaluation::launchdarkly
