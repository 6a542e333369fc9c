#include "cache/intake.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "cache/entry_home.h"
#include "cache/hash_bytes.h"

namespace flagstone::cache {
namespace {

using evaluation::Record;
using evaluation::RecordError;

std::uint64_t digest_of(const Entry& entry) {
  return mix_bits(entry.content_hash() ^ mix_bits(static_cast<std::uint64_t>(entry.version())));
}

}  // namespace

std::size_t Intake::bytes_of(const Record& record) {
  return sizeof(Record) + record.id.set_id.size() + record.id.key.size() + record.raw.size();
}

Intake::Intake(Environment& environment, Layer& layer, RestoredLayer restored, Origin origin)
    : environment_(environment),
      layer_(layer),
      restored_(std::move(restored)),
      from_state_(origin == Origin::kState) {
  assert(!layer_.intake_running_);
  layer_.intake_running_ = true;
  change_.full = is_full();
  change_.origin = origin;
  change_.cursor = std::move(restored_.update.cursor);
  // Whoever makes an update's records elsewhere makes them so.
  spooled_ = static_cast<const SpooledDocument*>(restored_.update.elsewhere.get());
  change_.records = restored_.update.records.size() + restored_.filed.size() +
                    (spooled_ == nullptr ? 0 : spooled_->records);
  open_files();
  if (refused_) return;
  reserve_document();
  if (refused_) return;
  if (is_full()) {
    page_starts_ = layer_.records_.page_starts();
    seen_.resize(page_starts_.back());
    kept_.resize(page_starts_.back());
  }
  for (const GoodText& good : restored_.good_texts) good_texts_.emplace(good.id, &good);
}

void Intake::reserve_document() {
  std::size_t document_bytes = restored_.update.metadata.size();
  std::size_t held_bytes = restored_.filed.bytes();
  for (const Record& record : restored_.update.records) {
    document_bytes += record.raw.size();
    held_bytes += bytes_of(record);
  }
  if (spooled_ != nullptr) document_bytes += spooled_->text_bytes;
  const std::size_t most = environment_.options_.max_document_bytes;
  if (document_bytes > most) {
    refuse(Refused::Kind::kTooLarge, "the document's records have " +
                                         std::to_string(document_bytes) + " bytes, more than " +
                                         std::to_string(most));
    return;
  }
  // What others can give up for it they are asked for record by record.
  if (held_bytes > environment_.home_.budget.limit_bytes()) {
    refuse(Refused::Kind::kOverMemory, "the document of " + std::to_string(held_bytes) +
                                           " bytes does not fit into the memory limit");
    return;
  }
  environment_.home_.budget.add(MemoryPart::kUpdates, held_bytes);
  update_bytes_ = held_bytes;
}

Intake::~Intake() {
  layer_.intake_running_ = false;
  release_update_bytes(update_bytes_);
  let_go_of_files();
}

void Intake::release_update_bytes(std::size_t bytes) {
  environment_.home_.budget.release(MemoryPart::kUpdates, bytes);
  update_bytes_ -= bytes;
}

void Intake::refuse(Refused::Kind kind, std::string message) {
  if (!refused_) refused_ = Refused{.kind = kind, .message = std::move(message)};
  change_.edits.clear();
  let_go_of_files();
  restored_ = {};
  release_update_bytes(update_bytes_);
}

Intake::Progress Intake::step(std::size_t max_records, const std::function<bool()>& stop) {
  for (std::size_t taken = 0; has_next(); ++taken) {
    if (taken == max_records || (stop && taken > 0 && stop())) return Progress::kMore;
    switch (take_next()) {
      case Taken::kYes:
        break;
      case Taken::kNoRoom:
        return Progress::kRoom;
      case Taken::kNoText:
        return Progress::kDisk;
    }
  }
  return Progress::kReady;
}

IntakeOutcome Intake::run() {
  while (step(SIZE_MAX) != Progress::kReady) {
  }
  return finish();
}

bool Intake::has_next() const {
  if (refused_) return false;
  if (filed_ || restored_.filed.left() > 0) return true;
  if (spooled_ != nullptr && window_begin_ + window_used_ < spooled_->bytes) return true;
  return next_ < restored_.update.records.size();
}

// What has to be put off stays the next one.
Intake::Taken Intake::take_next() {
  if (filed_ || restored_.filed.left() > 0) return take_filed();
  return spooled_ != nullptr ? take_spooled() : take_from_memory();
}

Intake::Taken Intake::take(Incoming& record) {
  if (record.key.size() > kKeyBytesMax) {
    refuse(Refused::Kind::kTooLarge, "a key has " + std::to_string(record.key.size()) +
                                         " bytes, more than " + std::to_string(kKeyBytesMax));
    return Taken::kYes;
  }
  const std::uint64_t hash = RecordIndex::hash_of(record.kind, record.set_id, record.key);
  const RecordIndex::Found stored =
      layer_.records_.locate(hash, record.kind, record.set_id, record.key);
  const EntryPointer current = current_of(record, hash, stored);
  // Who has versions is late without one, too.
  const bool versions_count = !is_full() && !restored_.update.in_order && current &&
                              (record.version != 0 || current->version() != 0);
  if (versions_count && record.version <= current->version()) {
    ++change_.outdated;
    return Taken::kYes;
  }
  if (record.removed) return take_removal(record, hash), Taken::kYes;
  if (record.tombstone) return take_tombstone(record, hash, stored, current), Taken::kYes;
  return take_text(record, hash, stored, current);
}

EntryPointer Intake::current_of(const Incoming& record, std::uint64_t hash,
                                const RecordIndex::Found& stored) const {
  const auto is_it = [&record](const Entry& entry) {
    return entry.kind() == record.kind && entry.key() == record.key &&
           entry.set_id() == record.set_id;
  };
  if (const auto last = edit_of_hash_.find(hash); last != edit_of_hash_.end()) {
    // Two ids with one hash are possible, if never seen: look further back then.
    for (std::size_t i = last->second + 1; i-- > 0;) {
      const RecordIndex::Edit& edit = change_.edits[i];
      if (edit.hash != hash || !is_it(*edit.entry)) continue;
      return edit.erase ? nullptr : edit.entry;
    }
  }
  return stored.entry == nullptr ? nullptr : *stored.entry;
}

bool Intake::mark_seen(const RecordIndex::Found& stored, bool alive) {
  if (!is_full() || stored.entry == nullptr) return false;
  const std::size_t position = page_starts_[stored.position.page] + stored.position.slot;
  const bool again = seen_[position];
  seen_[position] = true;
  const bool keeps = alive && !(*stored.entry)->is_tombstone();
  if (keeps && !kept_[position]) ++kept_alive_;
  if (!keeps && kept_[position]) --kept_alive_;
  kept_[position] = keeps;
  return again;
}

void Intake::put(std::uint64_t hash, EntryPointer entry) {
  if (!is_full()) edit_of_hash_[hash] = change_.edits.size();
  change_.edits.push_back({.entry = std::move(entry), .erase = false, .hash = hash});
}

void Intake::take_tombstone(const Incoming& record, std::uint64_t hash,
                            const RecordIndex::Found& stored, const EntryPointer& current) {
  const bool named_before = mark_seen(stored, false);
  if (record.version == 0) {
    // Without a version there is nothing to remember; but the document may have put it before.
    if (is_full()) return take_removal(record, hash);
    if (current && !current->is_tombstone()) {
      edit_of_hash_[hash] = change_.edits.size();
      change_.edits.push_back({.entry = current, .erase = true, .hash = hash});
    }
    return;
  }
  digest_ += mix_bits(hash ^ mix_bits(static_cast<std::uint64_t>(record.version)));
  if (current && current->is_tombstone() && current->version() == record.version) {
    if (is_full() && named_before) put(hash, current);
    return;
  }
  put(hash, Entry::make({.kind = record.kind,
                         .layer = layer_.index_,
                         .tombstone = true,
                         .version = record.version,
                         .set_id = record.set_id,
                         .key = record.key},
                        environment_.home_));
}

// Whatever was said of the id earlier is void.
void Intake::take_removal(const Incoming& record, std::uint64_t hash) {
  EntryPointer name = Entry::make({.kind = record.kind,
                                   .layer = layer_.index_,
                                   .tombstone = true,
                                   .set_id = record.set_id,
                                   .key = record.key},
                                  environment_.home_);
  change_.edits.push_back({.entry = std::move(name), .erase = true, .hash = hash});
}

bool Intake::is_the_same(const Incoming& record, const EntryPointer& current) const {
  if (!current || current->is_tombstone() || current->version() != record.version) return false;
  // A text whose place can no longer be read is taken anew from whoever brings it.
  if (layer_.texts_unreadable_ && current->text().is_in_file() && !from_state_) return false;
  return current->text_hash() == record.content;
}

Intake::Taken Intake::take_text(Incoming& record, std::uint64_t hash,
                                const RecordIndex::Found& stored, const EntryPointer& current) {
  EntryPointer entry;
  const bool same = is_the_same(record, current);
  if (same) {
    entry = current;
  } else if (const Taken taken = make_entry(record, current, entry); taken != Taken::kYes) {
    return taken;
  }
  if (entry == nullptr) return Taken::kYes;  // refused
  const bool named_before = mark_seen(stored, true);
  // Of duplicates the last wins, also when it is the one that was there already.
  if (!same || (is_full() && named_before)) put(hash, entry);
  digest_ += digest_of(*entry);
  if (!entry->is_quarantined()) return Taken::kYes;
  ++change_.quarantined;
  if (entry->answering() == nullptr) ++unanswered_;
  return Taken::kYes;
}

void Intake::take_metadata() {
  const evaluation::Update& update = restored_.update;
  if (!is_full() && !update.has_metadata) return;
  const std::string& raw = update.metadata;
  digest_ += mix_bits(hash_bytes(raw));
  if (raw == layer_.document_->metadata) return;
  auto document = std::make_shared<SnapshotLayer>();
  document->name = layer_.options_.name;
  document->metadata = raw;
  document->metadata_hash = raw.empty() ? 0 : hash_bytes(raw);
  if (!raw.empty()) {
    evaluation::CompileResult compiled = environment_.dialect_.compile_metadata(raw);
    if (compiled) {
      document->compiled_metadata = std::move(*compiled);
    } else if (compiled.error().kind == RecordError::Kind::kMalformed) {
      return refuse(Refused::Kind::kMalformed, "metadata: " + compiled.error().message);
    } else {
      // Quarantined like a record: the last good one stays in force.
      document->metadata_problem = compiled.error().message;
      document->compiled_metadata = layer_.document_->compiled_metadata;
    }
  }
  change_.document = std::move(document);
}

void Intake::erase_what_was_not_seen() {
  RecordIndex::Position position;
  std::size_t number = 0;
  while (const EntryPointer* entry = layer_.records_.next(position)) {
    if (!seen_[number++]) change_.edits.push_back(RecordIndex::erase(*entry));
  }
}

std::optional<Held> Intake::hold_if_shrunk() {
  const std::size_t before = layer_.records_.size();
  const std::size_t dropped = before - kept_alive_;
  const bool shrunk = dropped > kShrinkMayDropRecords && dropped > before / 2;
  if (!shrunk || !layer_.options_.shrink_guard || layer_.forgive_shrink_ || from_state_) {
    return std::nullopt;
  }
  const std::uint32_t times =
      layer_.held_ && layer_.held_->digest == digest_ ? layer_.held_->times_seen + 1 : 1;
  if (times >= layer_.options_.confirm_shrink) return std::nullopt;
  layer_.held_ = HeldDocument{.digest = digest_,
                              .times_seen = times,
                              .times_needed = layer_.options_.confirm_shrink,
                              .records_before = before,
                              .records_dropped = dropped};
  layer_.held_change_ = std::move(change_);
  return Held{*layer_.held_};
}

IntakeOutcome Intake::finish() {
  assert(!finished_ && !has_next());
  finished_ = true;
  std::string().swap(window_);
  if (!refused_) take_metadata();
  const std::size_t bad = from_state_ ? unanswered_ : change_.quarantined;
  if (!refused_ && is_full() && bad > change_.records / 2) {
    refuse(
        Refused::Kind::kMostlyQuarantined,
        std::to_string(bad) + " of " + std::to_string(change_.records) + " records do not compile");
  }
  if (refused_) return *refused_;
  if (is_full()) {
    erase_what_was_not_seen();
    if (std::optional<Held> held = hold_if_shrunk()) return *held;
  }
  layer_.intake_running_ = false;
  layer_.texts_unreadable_ = false;
  return environment_.commit(layer_, std::move(change_));
}

}  // namespace flagstone::cache
