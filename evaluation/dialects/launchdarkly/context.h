// A context as LaunchDarkly means it: one or several individual contexts, each with a kind and a
// key.
//
// Views of the values it was made of and of the arena given; valid as long as both stay. Made of
// OpenFeature's attributes here, of LaunchDarkly's own JSON by wire/sdk_context.h. Nothing here
// fails: a context that names nobody is invalid, and evaluating for it is an error.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "evaluation/arena.h"
#include "evaluation/dialects/launchdarkly/attribute.h"
#include "evaluation/evaluation_context.h"
#include "evaluation/value.h"

namespace flagstone::evaluation::launchdarkly {

inline constexpr std::string_view kDefaultContextKind = "user";

struct IndividualContext {
  std::string_view kind = kDefaultContextKind;
  std::string_view key;
  // A string, or null when there is none.
  Value name;
  bool anonymous = false;
  // `targetingKey` and `privateAttributes` are no attributes but say what they say in OpenFeature.
  bool is_open_feature = false;
  // Legacy users name their private attributes plainly, all others by reference.
  bool private_names_are_plain = false;
  // All members as they stand, built-in ones and nulls too; of duplicates the last counts.
  std::span<const Member> members;
  // Strings, where they are no strings to be passed over.
  std::span<const Value> private_attributes;

  // Null when there is none.
  Value value_of(const Attribute& attribute) const;
};

struct Context : VendorContext {
  bool is_valid = false;
  // Of equal kinds the last counts.
  std::span<const IndividualContext> individuals;

  // nullptr when there is none of that kind.
  const IndividualContext* find(std::string_view kind) const {
    for (std::size_t i = individuals.size(); i-- > 0;) {
      if (same_text(individuals[i].kind, kind)) return &individuals[i];
    }
    return nullptr;
  }
};

// `[A-Za-z0-9._-]+`, neither `kind` nor `multi`.
bool is_context_kind(std::string_view text);

// What LaunchDarkly's OpenFeature providers make of it, or what its own api read.
Context context_of(const EvaluationContext& context, Arena& arena);

}  // namespace flagstone::evaluation::launchdarkly
