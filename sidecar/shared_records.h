// The records that flags of one snapshot share and refer to by name: evaluators, segments.
//
// Borrows the snapshot. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cache/record_reader.h"
#include "cache/snapshot.h"

namespace flagstone::sidecar {

class SharedRecords {
 public:
  // `kind_name` as the dialect calls it; a dialect that has no such kind has no such records.
  SharedRecords(const cache::Snapshot& snapshot, std::string_view kind_name) : snapshot_(snapshot) {
    for (const evaluation::KindName& kind : snapshot.dialect().kinds()) {
      if (kind.name == kind_name) kind_ = kind.kind;
    }
  }

  // What a flag of that set means by the name: of its own set, else of any; or nullptr.
  const cache::Entry* find(std::string_view set_id, std::string_view name) const {
    if (!kind_) return nullptr;
    const cache::Entry* entry = snapshot_.find_record(*kind_, set_id, name);
    return entry != nullptr ? entry : snapshot_.find_record_in_any_set(*kind_, name);
  }

  // Puts the text that answers there: in quarantine the last good one, or none. False: it cannot be
  // read (now).
  static bool answering_text(const cache::Entry& entry, const cache::RecordReader& reader,
                             std::string& text) {
    text.clear();
    const cache::Entry* answering = entry.answering();
    return answering == nullptr || reader.append_text_of(*answering, text);
  }

 private:
  const cache::Snapshot& snapshot_;
  std::optional<evaluation::RecordKind> kind_;
};

}  // namespace flagstone::sidecar
