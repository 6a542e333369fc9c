// Which of a snapshot's flags a selector means, and what identifies their content.
//
// Pure functions over an immutable snapshot; any thread.
#pragma once

#include <cstdint>

#include "cache/record_reader.h"
#include "cache/snapshot.h"
#include "sidecar/selector.h"

namespace flagstone::sidecar {

cache::FlagFilter filter_of(const Selector& selector);

// Changes whenever an answer of one of the selected flags may. Constant time for everything, a walk
// for a selector.
std::uint64_t selected_content_hash(const cache::Snapshot& snapshot, const Selector& selector);

// As selected_content_hash(), and changes too when a source is called otherwise: what apis that
// name the sources go by.
std::uint64_t selection_identity(const cache::Snapshot& snapshot, const Selector& selector);

// True when a selected flag's answer reads the clock or chance. A walk.
bool selection_varies_by_itself(const cache::Snapshot& snapshot, const Selector& selector,
                                cache::RecordReader& reader);

}  // namespace flagstone::sidecar
