#include "cache/intake.h"

#include <cassert>
#include <utility>

#include "cache/hash_bytes.h"
#include "cache/memory_budget.h"

namespace flagstone::cache {
namespace {

using evaluation::Record;
using evaluation::RecordError;

// What an entry costs in its page.
constexpr std::size_t kSlotBytes = 32;

std::size_t bytes_of(const Record& record) {
  return sizeof(Record) + record.id.set_id.size() + record.id.key.size() + record.raw.size();
}

std::uint64_t digest_of(const Entry& entry) {
  return mix_bits(entry.content_hash() ^ mix_bits(static_cast<std::uint64_t>(entry.version())));
}

std::string name_of(const evaluation::Dialect& dialect, const evaluation::RecordId& id) {
  std::string name = "record";
  for (const evaluation::KindName& kind : dialect.kinds()) {
    if (kind.kind == id.kind) name = kind.name;
  }
  name += " \"" + id.key + "\"";
  if (!id.set_id.empty()) name += " of set \"" + id.set_id + "\"";
  return name;
}

}  // namespace

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
  change_.records = restored_.update.records.size();
  std::size_t document_bytes = restored_.update.metadata.size();
  std::size_t held_bytes = 0;
  for (const Record& record : restored_.update.records) {
    document_bytes += record.raw.size();
    held_bytes += bytes_of(record);
  }
  const std::size_t most = environment_.options_.max_document_bytes;
  if (document_bytes > most) {
    refuse(Refused::Kind::kTooLarge, "the document's records have " +
                                         std::to_string(document_bytes) + " bytes, more than " +
                                         std::to_string(most));
    return;
  }
  if (!environment_.budget_.try_reserve(MemoryPart::kUpdates, held_bytes)) {
    refuse(Refused::Kind::kOverMemory, "the document of " + std::to_string(held_bytes) +
                                           " bytes does not fit into the memory limit");
    return;
  }
  update_bytes_ = held_bytes;
  if (is_full()) {
    page_starts_ = layer_.records_.page_starts();
    seen_.resize(page_starts_.back());
  }
  for (const GoodText& good : restored_.good_texts) good_texts_.emplace(good.id, &good);
}

Intake::~Intake() {
  layer_.intake_running_ = false;
  release_update_bytes(update_bytes_);
}

void Intake::release_update_bytes(std::size_t bytes) {
  environment_.budget_.release(MemoryPart::kUpdates, bytes);
  update_bytes_ -= bytes;
}

void Intake::refuse(Refused::Kind kind, std::string message) {
  if (!refused_) refused_ = Refused{.kind = kind, .message = std::move(message)};
  change_.edits.clear();
  restored_ = {};
  release_update_bytes(update_bytes_);
}

bool Intake::step(std::size_t max_records, const std::function<bool()>& stop) {
  std::vector<Record>& records = restored_.update.records;
  for (std::size_t taken = 0; !refused_ && next_ < records.size(); ++taken) {
    if (taken == max_records || (stop && taken > 0 && stop())) return false;
    // The record's memory goes before the next is looked at.
    const Record record = std::exchange(records[next_], {});
    ++next_;
    release_update_bytes(bytes_of(record));
    take(record);
  }
  return true;
}

IntakeOutcome Intake::run() {
  while (!step(SIZE_MAX)) {
  }
  return finish();
}

void Intake::take(const Record& record) {
  const std::uint64_t hash = RecordIndex::hash_of(record.id.kind, record.id.set_id, record.id.key);
  const RecordIndex::Found stored =
      layer_.records_.locate(hash, record.id.kind, record.id.set_id, record.id.key);
  const EntryPointer current = current_of(record, hash, stored);
  if (!is_full() && record.version != 0 && current && record.version <= current->version()) {
    ++change_.outdated;
    return;
  }
  if (record.tombstone) {
    take_tombstone(record, hash, stored, current);
  } else {
    take_text(record, hash, stored, current);
  }
}

EntryPointer Intake::current_of(const Record& record, std::uint64_t hash,
                                const RecordIndex::Found& stored) const {
  const auto is_it = [&record](const Entry& entry) {
    return entry.kind() == record.id.kind && entry.key() == record.id.key &&
           entry.set_id() == record.id.set_id;
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
  if (!again && alive && !(*stored.entry)->is_tombstone()) ++kept_alive_;
  return again;
}

void Intake::put(std::uint64_t hash, EntryPointer entry) {
  if (!is_full()) edit_of_hash_[hash] = change_.edits.size();
  change_.edits.push_back({.entry = std::move(entry), .erase = false, .hash = hash});
}

void Intake::take_tombstone(const Record& record, std::uint64_t hash,
                            const RecordIndex::Found& stored, const EntryPointer& current) {
  mark_seen(stored, false);
  if (record.version == 0) {
    // Without a version there is nothing to remember.
    if (is_full()) return;
    if (current && !current->is_tombstone()) {
      edit_of_hash_[hash] = change_.edits.size();
      change_.edits.push_back({.entry = current, .erase = true, .hash = hash});
    }
    return;
  }
  digest_ += mix_bits(hash ^ mix_bits(static_cast<std::uint64_t>(record.version)));
  if (current && current->is_tombstone() && current->version() == record.version) return;
  put(hash, std::make_shared<const Entry>(
                Entry::Parts{.kind = record.id.kind,
                             .layer = layer_.index_,
                             .tombstone = true,
                             .version = record.version,
                             .text = VendorBytes(record.id.set_id, record.id.key, {}),
                             .compiled = nullptr,
                             .quarantine = nullptr},
                environment_.budget_));
}

void Intake::take_text(const Record& record, std::uint64_t hash, const RecordIndex::Found& stored,
                       const EntryPointer& current) {
  const bool named_before = mark_seen(stored, true);
  EntryPointer entry;
  if (current && !current->is_tombstone() && current->version() == record.version &&
      current->raw() == record.raw) {
    entry = current;
    // Of duplicates the last wins, also when it is the one that was there already.
    if (is_full() && named_before) put(hash, entry);
  } else {
    entry = make_entry(record, current);
    if (entry == nullptr) return;
    put(hash, entry);
  }
  digest_ += digest_of(*entry);
  if (!entry->is_quarantined()) return;
  ++change_.quarantined;
  if (entry->compiled() == nullptr) ++unanswered_;
}

EntryPointer Intake::make_entry(const Record& record, const EntryPointer& current) {
  const evaluation::Dialect& dialect = environment_.dialect_;
  evaluation::CompileResult compiled;
  if (record.raw.size() > evaluation::kMaxRecordBytes) {
    compiled = std::unexpected(RecordError{.kind = RecordError::Kind::kTooLarge,
                                           .message = "has " + std::to_string(record.raw.size()) +
                                                      " bytes, more than " +
                                                      std::to_string(evaluation::kMaxRecordBytes)});
  } else {
    compiled = dialect.compile({.kind = record.id.kind,
                                .set_id = record.id.set_id,
                                .key = record.id.key,
                                .raw = record.raw});
  }
  std::unique_ptr<const Quarantine> quarantined;
  if (!compiled) {
    const std::string message = name_of(dialect, record.id) + ": " + compiled.error().message;
    if (compiled.error().kind == RecordError::Kind::kMalformed) {
      refuse(Refused::Kind::kMalformed, message);
      return nullptr;
    }
    quarantined = quarantine(record, current, message);
  }
  const std::size_t needed = record.id.set_id.size() + record.id.key.size() + record.raw.size() +
                             (compiled ? (*compiled)->bytes() : 0) + Entry::bookkeeping_bytes() +
                             kSlotBytes;
  if (!environment_.budget_.fits(needed)) {
    refuse(Refused::Kind::kOverMemory, "the update does not fit into the memory limit of " +
                                           std::to_string(environment_.budget_.limit_bytes()) +
                                           " bytes beside what is there");
    return nullptr;
  }
  return std::make_shared<const Entry>(
      Entry::Parts{.kind = record.id.kind,
                   .layer = layer_.index_,
                   .tombstone = false,
                   .version = record.version,
                   .text = VendorBytes(record.id.set_id, record.id.key, record.raw),
                   .compiled = compiled ? std::move(*compiled) : nullptr,
                   .quarantine = std::move(quarantined)},
      environment_.budget_);
}

std::unique_ptr<const Quarantine> Intake::quarantine(const Record& record,
                                                     const EntryPointer& current,
                                                     std::string message) {
  auto made = std::make_unique<Quarantine>();
  made->message = std::move(message);
  made->good = good_entry_for(record, current);
  return made;
}

EntryPointer Intake::good_entry_for(const Record& record, const EntryPointer& current) {
  if (current && !current->is_tombstone()) {
    return current->is_quarantined() ? current->quarantine()->good : current;
  }
  const auto good = good_texts_.find(record.id);
  if (good == good_texts_.end()) return nullptr;
  const GoodText& text = *good->second;
  evaluation::CompileResult compiled = environment_.dialect_.compile(
      {.kind = record.id.kind, .set_id = record.id.set_id, .key = record.id.key, .raw = text.raw});
  if (!compiled) return nullptr;
  return std::make_shared<const Entry>(
      Entry::Parts{.kind = record.id.kind,
                   .layer = layer_.index_,
                   .tombstone = false,
                   .version = text.version,
                   .text = VendorBytes(record.id.set_id, record.id.key, text.raw),
                   .compiled = std::move(*compiled),
                   .quarantine = nullptr},
      environment_.budget_);
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
  assert(!finished_ && (refused_ || next_ == restored_.update.records.size()));
  finished_ = true;
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
  return environment_.commit(layer_, std::move(change_));
}

}  // namespace flagstone::cache
