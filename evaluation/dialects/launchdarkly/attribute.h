// Which attribute of a context a clause or rollout looks at: a plain name or an attribute
// reference (`/address/city`).
//
// Views into the compiled record (or, while parsing, into its text and the arena). Pure; nothing
// here fails: what cannot be read is kInvalid, and evaluating it makes the flag malformed.
// Source: go-sdk-common v3 (ldattr).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "evaluation/arena.h"

namespace flagstone::evaluation::launchdarkly {

struct Attribute {
  enum class Kind : std::uint8_t {
    kUndefined,     // None was given.
    kInvalid,       // No attribute reference.
    kContextKinds,  // Exactly `kind`: every kind of the context, in a clause.
    kKind,          // `/kind`: the kind of the individual context.
    kKey,
    kName,
    kAnonymous,
    kNever,   // What no context has: `_meta`, or a member of a built-in.
    kCustom,  // `name`, and inside of it `deeper`.
  };
  Kind kind = Kind::kUndefined;
  std::string_view name;
  std::span<const std::string_view> deeper;
};

// `text` with its context kind is a reference, without one a plain name, slashes and all.
Attribute read_attribute(std::string_view text, bool is_reference, Arena& arena);

}  // namespace flagstone::evaluation::launchdarkly
