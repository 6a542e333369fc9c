#include "cache/snapshot.h"

#include <utility>

#include "cache/hash_bytes.h"
#include "cache/record_reader.h"
#include "evaluation/content_hash.h"

namespace flagstone::cache {
namespace {

evaluation::Evaluation unreadable() {
  evaluation::Evaluation error;
  error.reason = evaluation::Reason::kError;
  error.error = evaluation::ErrorCode::kGeneral;
  error.error_details = "the flag's text cannot be read from the state directory";
  return error;
}

// Nothing of it ever compiled, or nothing of it can be read.
evaluation::Evaluation without_form(const Entry& flag, const RecordReader& reader) {
  if (reader.failed() || !reader.waiting().empty()) return unreadable();
  evaluation::Evaluation error;
  error.reason = evaluation::Reason::kError;
  error.error = evaluation::ErrorCode::kParseError;
  if (flag.is_quarantined()) error.error_details = flag.quarantine()->message;
  return error;
}

}  // namespace

using evaluation::CompiledRecord;
using evaluation::kFlagKind;
using evaluation::RecordKind;

Snapshot::Snapshot(const evaluation::Dialect& dialect, RecordIndex visible, SnapshotLayers layers,
                   std::uint64_t generation)
    : dialect_(dialect),
      visible_(std::move(visible)),
      layers_(std::move(layers)),
      content_hash_(visible_.content_hash()),
      generation_(generation) {
  // The same bytes answer otherwise under other options.
  content_hash_ += mix_bits(evaluation::digest64(dialect.options_fingerprint()));
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    content_hash_ += mix_bits(layers_[i]->metadata_hash + i);
  }
}

const Entry* Snapshot::find_flag(std::string_view key) const {
  return visible_.find_in_any_set(kFlagKind, key);
}

const Entry* Snapshot::find_flag(std::string_view set_id, std::string_view key) const {
  return visible_.find(kFlagKind, set_id, key);
}

const Entry* Snapshot::find_record(RecordKind kind, std::string_view set_id,
                                   std::string_view key) const {
  return visible_.find(kind, set_id, key);
}

const Entry* Snapshot::find_record_in_any_set(RecordKind kind, std::string_view key) const {
  return visible_.find_in_any_set(kind, key);
}

bool Snapshot::lets_through(const FlagFilter& filter, const Entry& flag) const {
  if (filter.set_id && flag.set_id() != *filter.set_id) return false;
  return !filter.source || layer_of(flag).name == *filter.source;
}

const Entry* Snapshot::find_flag(const FlagFilter& filter, std::string_view key) const {
  if (filter.set_id) {
    const Entry* entry = find_flag(*filter.set_id, key);
    return entry != nullptr && lets_through(filter, *entry) ? entry : nullptr;
  }
  RecordIndex::Position position = visible_.first_of_key(kFlagKind, key);
  while (const EntryPointer* entry = visible_.next(position)) {
    const Entry& flag = **entry;
    if (flag.kind() != kFlagKind || flag.key() != key || flag.is_tombstone()) return nullptr;
    if (lets_through(filter, flag)) return &flag;
  }
  return nullptr;
}

const Entry* Snapshot::next_flag(Walk& walk) const {
  while (const EntryPointer* next = visible_.next(walk.position_)) {
    const Entry& entry = **next;
    if (entry.kind() != kFlagKind || entry.is_tombstone()) continue;
    if (!lets_through(walk.filter_, entry)) continue;
    // Entries of one key follow each other, the one that wins first.
    if (walk.filter_.one_per_key && walk.last_ != nullptr && walk.last_->key() == entry.key()) {
      continue;
    }
    walk.last_ = &entry;
    return &entry;
  }
  return nullptr;
}

const Entry* Snapshot::next_record(Walk& walk) const {
  while (const EntryPointer* next = visible_.next(walk.position_)) {
    if (!(*next)->is_tombstone() && lets_through(walk.filter_, **next)) return next->get();
  }
  return nullptr;
}

evaluation::Evaluation Snapshot::evaluate(const Entry& flag,
                                          const evaluation::EvaluationContext& context,
                                          evaluation::Moment moment, evaluation::Scratch& scratch,
                                          RecordReader& reader) const {
  reader.begin(*this);
  const CompiledRecord* form = reader.form_of(flag);
  if (form == nullptr) return without_form(flag, reader);
  const evaluation::Subject subject{.key = flag.key(),
                                    .set_id = flag.set_id(),
                                    .flag = *form,
                                    .document = layer_of(flag).compiled_metadata.get()};
  evaluation::Evaluation answer = dialect_.evaluate(subject, context, reader, moment, scratch);
  // Something the flag refers to.
  return reader.failed() ? unreadable() : answer;
}

bool Snapshot::varies_by_itself(const Entry& flag, RecordReader& reader) const {
  const Entry* answering = flag.answering();
  if (answering == nullptr) return false;
  const evaluation::RecordTraits traits = answering->traits();
  if (!traits.reads_clock && !traits.refers_to_others) return false;
  reader.begin(*this);
  const CompiledRecord* form = reader.form_of(flag);
  // What cannot be read now is better taken for something that changes.
  if (form == nullptr) return true;
  return dialect_.varies_by_itself(*form, reader) || reader.failed() || !reader.waiting().empty();
}

bool Snapshot::has_source(std::string_view name) const {
  for (const auto& layer : layers_) {
    if (layer->name == name) return true;
  }
  return false;
}

}  // namespace flagstone::cache
