// Compiles what a snapshot's flags run by, as the keeper does for those that are asked for.
#pragma once

#include <utility>

#include "cache/record_reader.h"
#include "cache/snapshot.h"

namespace flagstone::fakes {

inline void promote_all(const cache::Snapshot& snapshot) {
  cache::RecordReader reader(cache::RecordReader::Patience::kDisk);
  cache::Snapshot::Walk walk(cache::FlagFilter{.set_id = {}, .source = {}, .one_per_key = false});
  while (const cache::Entry* entry = snapshot.next_record(walk)) {
    const cache::Entry* answering = entry->answering();
    if (answering == nullptr || answering->compiled() != nullptr) continue;
    reader.begin(snapshot);
    auto compiled = snapshot.dialect().compile({.kind = answering->kind(),
                                                .set_id = answering->set_id(),
                                                .key = answering->key(),
                                                .raw = reader.text_of(*answering).value_or("")});
    if (compiled) answering->promote(std::move(*compiled));
  }
}

}  // namespace flagstone::fakes
