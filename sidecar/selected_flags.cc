#include "sidecar/selected_flags.h"

#include "evaluation/content_hash.h"

namespace flagstone::sidecar {

cache::FlagFilter filter_of(const Selector& selector) {
  cache::FlagFilter filter;
  if (selector.kind == Selector::Kind::kSet) filter.set_id = selector.value;
  if (selector.kind == Selector::Kind::kSource) filter.source = selector.value;
  return filter;
}

std::uint64_t selected_content_hash(const cache::Snapshot& snapshot, const Selector& selector) {
  // What a flag refers to (evaluators, segments) and documents' metadata are not part of the flag:
  // the whole snapshot's hash covers them, a selection's must not change with another set's flags.
  // So a selection adds up its flags and everything that is no flag.
  if (selector.kind == Selector::Kind::kEverything) return snapshot.content_hash();
  std::uint64_t sum = 0;
  cache::Snapshot::Walk flags(filter_of(selector));
  while (const cache::Entry* flag = snapshot.next_flag(flags)) sum += flag->content_hash();
  cache::Snapshot::Walk records;
  while (const cache::Entry* record = snapshot.next_record(records)) {
    if (record->kind() != evaluation::kFlagKind) sum += record->content_hash();
  }
  for (const auto& layer : snapshot.layers()) {
    if (layer) sum += layer->metadata_hash;
  }
  return sum;
}

std::uint64_t selection_identity(const cache::Snapshot& snapshot, const Selector& selector) {
  std::uint64_t hash = selected_content_hash(snapshot, selector);
  for (const auto& layer : snapshot.layers()) {
    // Multiplied, so that the order counts.
    hash = hash * 0x9e3779b97f4a7c15 + evaluation::digest64(layer->name);
  }
  return hash;
}

bool selection_varies_by_itself(const cache::Snapshot& snapshot, const Selector& selector,
                                cache::RecordReader& reader) {
  cache::Snapshot::Walk flags(filter_of(selector));
  while (const cache::Entry* flag = snapshot.next_flag(flags)) {
    if (snapshot.varies_by_itself(*flag, reader)) return true;
  }
  return false;
}

}  // namespace flagstone::sidecar
