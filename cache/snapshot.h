// One environment, complete and immutable, at one moment: what serving threads read.
//
// Made by cache/environment.h on the keeper, shared as shared_ptr<const Snapshot>, read by any
// thread without locks; destroyed by the keeper alone. Lookups cost the same for ten flags and for
// 100,000, and allocate nothing. Nothing here fails: what is not there is nullptr.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/entry.h"
#include "cache/record_index.h"
#include "evaluation/dialect.h"
#include "evaluation/evaluation.h"

namespace flagstone::cache {

// One layer's document, beside its records.
struct SnapshotLayer {
  // The source's URI as configured; "bootstrap"; "pins".
  std::string name;
  // The document's own metadata member, raw ("" when it has none) and compiled (may be nullptr).
  std::string metadata;
  std::shared_ptr<const evaluation::CompiledRecord> compiled_metadata;
  // Why the newest metadata is not the compiled one; "" when it is.
  std::string metadata_problem;
  std::uint64_t metadata_hash = 0;
};
using SnapshotLayers = std::vector<std::shared_ptr<const SnapshotLayer>>;

// Which flags a walk sees.
struct FlagFilter {
  // Only this set ("" = flags that belong to no set); nullopt: every set.
  std::optional<std::string_view> set_id;
  // Only flags of the layer of that name (the source's URI); nullopt: every layer.
  std::optional<std::string_view> source;
  // Of flags with one key in several of the sets it sees, only the one that find_flag(key) finds.
  // With a filter, that is the greatest layer, then set id, among those the filter lets through.
  bool one_per_key = true;
};

class RecordReader;

class Snapshot final {
 public:
  Snapshot(const evaluation::Dialect& dialect, RecordIndex visible, SnapshotLayers layers,
           std::uint64_t generation);
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  // The flag to evaluate, or nullptr. Without a set: the latest source wins, then the greatest set
  // id.
  const Entry* find_flag(std::string_view key) const;
  const Entry* find_flag(std::string_view set_id, std::string_view key) const;
  // The flag of that key that a walk with this filter would give, or nullptr.
  const Entry* find_flag(const FlagFilter& filter, std::string_view key) const;
  // Any record, whole.
  const Entry* find_record(evaluation::RecordKind kind, std::string_view set_id,
                           std::string_view key) const;
  // Any record, in whichever set has it: the latest source wins, then the greatest set id.
  const Entry* find_record_in_any_set(evaluation::RecordKind kind, std::string_view key) const;

  // The first record with that RecordIndex::hash_of() its id, or nullptr.
  const EntryPointer* find_hash(std::uint64_t hash) const { return visible_.find_hash(hash); }

  // Walks over records in a stable order, resumable: keep the Walk beside the snapshot and go on
  // later. `filter`'s views must outlive the walk.
  class Walk {
   public:
    explicit Walk(FlagFilter filter = {}) : filter_(filter) {}
    // The same filter in other words: its views lie elsewhere now.
    void set_filter(const FlagFilter& filter) { filter_ = filter; }

   private:
    friend class Snapshot;
    FlagFilter filter_;
    RecordIndex::Position position_;
    const Entry* last_ = nullptr;
  };
  // The next visible flag (next_flag) or record of any kind (next_record), or nullptr at the end.
  const Entry* next_flag(Walk& walk) const;
  const Entry* next_record(Walk& walk) const;

  // What differs from an earlier snapshot of the environment to this one: see
  // RecordIndex::for_each_difference(). Costs what changed, where one was made from the other.
  void for_each_difference(const Snapshot& earlier,
                           const RecordIndex::DifferenceVisitor& visit) const {
    RecordIndex::for_each_difference(earlier.visible_, visible_, visit);
  }

  // Evaluates one of this snapshot's flags, decoding it when it is encoded. A flag that was
  // quarantined before it ever compiled gives PARSE_ERROR with what the dialect said; one whose
  // text cannot be read GENERAL. Void when the reader has something waiting() afterwards. What the
  // answer points to lives until the reader is used again.
  evaluation::Evaluation evaluate(const Entry& flag, const evaluation::EvaluationContext& context,
                                  evaluation::Moment moment, evaluation::Scratch& scratch,
                                  RecordReader& reader) const;
  // See Dialect::varies_by_itself.
  bool varies_by_itself(const Entry& flag, RecordReader& reader) const;

  const SnapshotLayer& layer_of(const Entry& entry) const { return *layers_[entry.layer()]; }
  // Lowest first: the bootstrap, the sources in order, the pins. Indexed by Entry::layer().
  const SnapshotLayers& layers() const { return layers_; }
  bool has_source(std::string_view name) const;

  // Of everything that can change an answer, the dialect's options too: equal content, equal hash,
  // in whatever order it came. Residency is not content.
  std::uint64_t content_hash() const { return content_hash_; }
  std::size_t flag_count() const { return visible_.flag_count(); }
  // Grows by one with every snapshot of its environment.
  std::uint64_t generation() const { return generation_; }
  const evaluation::Dialect& dialect() const { return dialect_; }

 private:
  bool lets_through(const FlagFilter& filter, const Entry& flag) const;

  const evaluation::Dialect& dialect_;
  RecordIndex visible_;
  SnapshotLayers layers_;
  std::uint64_t content_hash_;
  std::uint64_t generation_;
};

}  // namespace flagstone::cache
