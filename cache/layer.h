// One source's records inside an environment: what it last had, where that came from, what the
// shrink guard holds, and what the state directory does not know yet.
//
// Owned by its Environment, changed by Environment and Intake only, on the keeper's thread. Reading
// it is for status, readiness and metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/layer_image.h"
#include "cache/record_index.h"
#include "cache/serving_state.h"
#include "cache/snapshot.h"
#include "evaluation/record.h"

namespace flagstone::cache {

class MemoryBudget;
class TextFiles;

struct LayerOptions {
  // The source's URI as configured: what `Flagd-Selector: source=` names, and status shows.
  std::string name;
  // The environment is ready without it.
  bool optional = false;
  // Holds complete documents that drop more than half, and more than 10, of the records.
  bool shrink_guard = true;
  // The same document that often in a row is believed.
  std::uint32_t confirm_shrink = 3;
};

// A document drops too much when it drops more than this many and more than half.
inline constexpr std::size_t kShrinkMayDropRecords = 10;
// Deleted records whose version a layer remembers; the oldest are forgotten first.
inline constexpr std::size_t kTombstonesMax = 10'000;
// Quarantined records named in status; the count is always exact.
inline constexpr std::size_t kQuarantinedListedMax = 100;

// What the shrink guard holds, for status and logs.
struct HeldDocument {
  std::uint64_t digest = 0;
  std::uint32_t times_seen = 0;
  std::uint32_t times_needed = 0;
  std::size_t records_before = 0;
  std::size_t records_dropped = 0;
};

struct QuarantinedRecord {
  evaluation::RecordId id;
  std::string message;
  // An older text of it still answers.
  bool answers = false;
};

// Kinds of records that are counted apart, from the flag on.
inline constexpr std::size_t kKindsCounted = 4;

// Everything an accepted update changes in a layer.
struct PreparedChange {
  bool full = false;
  std::vector<RecordIndex::Edit> edits;
  // Entries of those that came compiled.
  std::vector<EntryPointer> compiled;
  // nullptr: the metadata stays.
  std::shared_ptr<const SnapshotLayer> document;
  std::string cursor;
  Origin origin = Origin::kLive;
  // For Accepted.
  std::size_t records = 0;
  std::array<std::size_t, kKindsCounted> of_kind{};
  std::size_t quarantined = 0;
  std::size_t outdated = 0;
};

class Layer {
 public:
  Layer(LayerOptions options, std::uint16_t index, MemoryBudget& budget);

  const LayerOptions& options() const { return options_; }
  std::uint16_t index() const { return index_; }
  // Has an accepted document, live, from the state, or (the bootstrap layer) from the bootstrap.
  bool has_document() const { return has_document_; }
  Origin origin() const { return origin_; }
  const RecordIndex& records() const { return records_; }
  const SnapshotLayer& document() const { return *document_; }
  // Of the records it has; what the source should ask upstream with.
  const std::string& cursor() const { return cursor_; }
  const std::optional<HeldDocument>& held() const { return held_; }
  // At most kQuarantinedListedMax of them; records().quarantined_count() counts all.
  std::vector<QuarantinedRecord> quarantined() const;
  // Everything it has, as Environment::begin_restored() takes it: what another environment of the
  // same dialect needs to answer the same and ask upstream with the same cursor. Only of a layer
  // that has a document: a copy of nothing would count as one. A held document is not part of it.
  // The files that texts lie in are held once for it, until it is taken in.
  RestoredLayer restored_copy(TextFiles& files) const;

 private:
  friend class Environment;
  friend class Intake;

  void note_unsaved(const std::vector<RecordIndex::Edit>& edits);
  void note_saved();
  // Adds the erasure of the oldest tombstones over the limit to `edits`.
  void bound_tombstones(std::vector<RecordIndex::Edit>& edits);

  LayerOptions options_;
  std::uint16_t index_;
  bool has_document_ = false;
  bool intake_running_ = false;
  Origin origin_ = Origin::kLive;
  RecordIndex records_;
  std::shared_ptr<const SnapshotLayer> document_;
  std::string cursor_;
  std::deque<evaluation::RecordId> tombstones_;

  // The shrink guard. `held_change_` goes when the layer changes in the meantime; the count stays.
  std::optional<HeldDocument> held_;
  std::optional<PreparedChange> held_change_;
  bool forgive_shrink_ = false;

  // Some text could not be read where it lies; the next complete document brings all of them anew.
  bool texts_unreadable_ = false;
  // The file that was saved to last, held as long as more may be appended to it.
  std::optional<std::uint32_t> saved_file_;

  // What the state directory does not know yet.
  bool unsaved_ = false;
  bool everything_unsaved_ = true;
  std::vector<evaluation::RecordId> unsaved_ids_;
};

}  // namespace flagstone::cache
