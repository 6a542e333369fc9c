// Metadata that Flagstone adds to every answer of one request, whatever the api: the selector's
// reflection, and how old the data is while it is stale.
//
// A value and pure functions appending to the caller's buffer; nothing allocates once that is warm.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cache/serving_state.h"
#include "sidecar/selector.h"

namespace flagstone::sidecar {

struct AddedMetadata {
  Selector selector;
  bool stale = false;
  // Since the last contact; nothing when there was none, as for a bootstrap.
  std::optional<std::int64_t> age_seconds = std::nullopt;

  bool is_empty() const { return !stale && selector.kind == Selector::Kind::kEverything; }

  static AddedMetadata of(const cache::EnvironmentState& environment, const Selector& selector,
                          std::int64_t now_unix_ms);
};

// Members of a JSON object, without braces, to follow those in `flag_members` (which win).
void append_added_members(std::string& body, const AddedMetadata& added,
                          std::string_view flag_members);

}  // namespace flagstone::sidecar
