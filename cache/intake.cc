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
using evaluation::RecordId;

// What an entry costs in its page.
constexpr std::size_t kSlotBytes = 24;
// How much of a spooled document is read at a time.
constexpr std::size_t kWindowBytes = std::size_t{256} * 1024;
constexpr const char* kUnreadable = "the state directory's files cannot be read";

std::size_t bytes_of(const Record& record) {
  return sizeof(Record) + record.id.set_id.size() + record.id.key.size() + record.raw.size();
}

std::uint64_t digest_of(const Entry& entry) {
  return mix_bits(entry.content_hash() ^ mix_bits(static_cast<std::uint64_t>(entry.version())));
}

std::string name_of(const evaluation::Dialect& dialect, evaluation::RecordKind kind,
                    std::string_view set_id, std::string_view key) {
  std::string name = "record";
  for (const evaluation::KindName& known : dialect.kinds()) {
    if (known.kind == kind) name = known.name;
  }
  name.append(" \"").append(key).append("\"");
  if (!set_id.empty()) name.append(" of set \"").append(set_id).append("\"");
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
  }
  for (const GoodText& good : restored_.good_texts) good_texts_.emplace(good.id, &good);
}

void Intake::open_files() {
  constexpr const char* kTooMany = "too many files of the state are open";
  for (auto& file : restored_.filed.files) {
    const auto number = environment_.home_.files.add(std::move(file));
    if (!number) return refuse(Refused::Kind::kOverMemory, kTooMany);
    restored_.filed.numbers.push_back(*number);
  }
  if (spooled_ == nullptr) return;
  SpoolFile& spool = *spooled_->spool;
  if (!spool.problem.empty()) {
    return refuse(Refused::Kind::kOverMemory,
                  "the document is too large for the memory limit, and the state directory cannot "
                  "take it meanwhile: " +
                      spool.problem);
  }
  const auto number = environment_.home_.files.add(std::move(spool.file));
  if (!number) return refuse(Refused::Kind::kOverMemory, kTooMany);
  spool_file_ = *number;
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

void Intake::let_go_of_files() {
  for (const std::uint32_t number : restored_.filed.numbers) {
    environment_.home_.files.let_go(number);
  }
  restored_.filed.numbers.clear();
  if (spool_file_ != TextPlace::kMaxFiles) environment_.home_.files.let_go(spool_file_);
  spool_file_ = TextPlace::kMaxFiles;
  spooled_ = nullptr;
  restored_.update.elsewhere.reset();
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

Intake::Taken Intake::take_from_memory() {
  Record& record = restored_.update.records[next_];
  Incoming incoming{.kind = record.id.kind,
                    .tombstone = record.tombstone,
                    .version = record.version,
                    .set_id = record.id.set_id,
                    .key = record.id.key,
                    .raw = record.raw};
  if (!record.tombstone) {
    incoming.content =
        Entry::content_of(record.id.kind, record.id.set_id, record.id.key, record.raw);
  }
  const Taken taken = take(incoming);
  if (taken != Taken::kYes || refused_) return taken;
  // The record's memory goes before the next is looked at.
  ++next_;
  release_update_bytes(bytes_of(record));
  record = {};
  return taken;
}

Intake::Taken Intake::take_filed() {
  const std::size_t bytes_before = restored_.filed.bytes();
  if (!filed_) filed_ = restored_.filed.take();
  release_update_bytes(bytes_before - restored_.filed.bytes());
  Incoming incoming{.kind = filed_->kind,
                    .tombstone = filed_->tombstone,
                    .removed = filed_->removed,
                    .version = filed_->version,
                    .set_id = filed_->set_id,
                    .key = filed_->key,
                    .content = filed_->content,
                    .traits = filed_->traits};
  if (filed_->judged) incoming.quarantined = filed_->quarantined;
  if (!filed_->tombstone && !filed_->removed) {
    incoming.place = TextPlace::in_file(restored_.filed.numbers[filed_->file], filed_->offset,
                                        filed_->text_bytes);
    // An unusually large text, or one far back: it goes on living in memory.
    if (!incoming.place && !read_whole_text(incoming)) return Taken::kYes;
  }
  const Taken taken = take(incoming);
  if (taken == Taken::kYes) filed_.reset();
  return taken;
}

Intake::Taken Intake::take_spooled() {
  const std::optional<SpooledRecord> record = next_spooled();
  if (refused_) return Taken::kYes;
  if (!record) return Taken::kNoText;
  const std::string_view set_id =
      record->has_own_set ? record->set_id : std::string_view(spooled_->document_set_id);
  const std::uint64_t raw_offset =
      window_begin_ + static_cast<std::uint64_t>(record->raw.data() - window_.data());
  Incoming incoming{.kind = record->kind, .set_id = set_id, .key = record->key, .raw = record->raw};
  incoming.place = TextPlace::in_file(spool_file_, raw_offset, record->raw.size());
  incoming.content = Entry::content_of(record->kind, set_id, record->key, record->raw);
  const Taken taken = take(incoming);
  if (taken != Taken::kYes || refused_) return taken;
  const char* end = record->raw.data() + record->raw.size();
  window_used_ = static_cast<std::size_t>(end - window_.data());
  return taken;
}

std::optional<SpooledRecord> Intake::next_spooled() {
  std::size_t needed = 0;
  std::string_view rest = std::string_view(window_).substr(window_used_);
  if (auto record = read_spooled(rest, needed)) return record;
  window_begin_ += window_used_;
  window_used_ = 0;
  const std::uint64_t left = spooled_->bytes - window_begin_;
  // The size of a record becomes known once its head is there.
  for (std::size_t wanted = std::max(needed, kWindowBytes);; wanted = needed) {
    wanted_ = {.file = spool_file_,
               .offset = window_begin_,
               .bytes = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, left))};
    window_.resize(wanted_.bytes);
    const ReadOutcome outcome =
        environment_.home_.files.at(spool_file_).read_at_once(window_, window_begin_);
    if (outcome == ReadOutcome::kWouldWait) return window_.clear(), std::nullopt;
    rest = window_;
    auto record = outcome == ReadOutcome::kDone ? read_spooled(rest, needed) : std::nullopt;
    if (record) return record;
    if (outcome != ReadOutcome::kDone || needed > left) {
      refuse(Refused::Kind::kMalformed, kUnreadable);
      return std::nullopt;
    }
  }
}

Intake::Taken Intake::take(Incoming& record) {
  if (record.key.size() > kMaxKeyBytes) {
    refuse(Refused::Kind::kTooLarge, "a key has " + std::to_string(record.key.size()) +
                                         " bytes, more than " + std::to_string(kMaxKeyBytes));
    return Taken::kYes;
  }
  const std::uint64_t hash = RecordIndex::hash_of(record.kind, record.set_id, record.key);
  const RecordIndex::Found stored =
      layer_.records_.locate(hash, record.kind, record.set_id, record.key);
  const EntryPointer current = current_of(record, hash, stored);
  if (!is_full() && record.version != 0 && current && record.version <= current->version()) {
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
  if (!again && alive && !(*stored.entry)->is_tombstone()) ++kept_alive_;
  return again;
}

void Intake::put(std::uint64_t hash, EntryPointer entry) {
  if (!is_full()) edit_of_hash_[hash] = change_.edits.size();
  change_.edits.push_back({.entry = std::move(entry), .erase = false, .hash = hash});
}

void Intake::take_tombstone(const Incoming& record, std::uint64_t hash,
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
  put(hash, Entry::make({.kind = record.kind,
                         .layer = layer_.index_,
                         .tombstone = true,
                         .version = record.version,
                         .set_id = record.set_id,
                         .key = record.key},
                        environment_.home_));
}

// Of a state's segments: the id's earlier text is void.
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

bool Intake::read_whole_text(Incoming& record) {
  text_buffer_.resize(filed_->text_bytes);
  const ReadableFile& file = environment_.home_.files.at(restored_.filed.numbers[filed_->file]);
  if (file.read(text_buffer_, filed_->offset) == ReadOutcome::kDone) {
    record.raw = text_buffer_;
    return true;
  }
  refuse(Refused::Kind::kMalformed, kUnreadable);
  return false;
}

bool Intake::has_room(std::size_t bytes) {
  if (environment_.home_.budget.fits(bytes)) return true;
  RoomMaker* room = environment_.home_.room;
  if (room != nullptr && room->make_room(bytes)) return false;
  refuse(Refused::Kind::kOverMemory, "the update does not fit into the memory limit of " +
                                         std::to_string(environment_.home_.budget.limit_bytes()) +
                                         " bytes beside what is there");
  return false;
}

bool Intake::read_text(Incoming& record) {
  if (record.raw) return true;
  text_buffer_.resize(record.place->bytes());
  wanted_ = {.file = record.place->file(),
             .offset = record.place->offset(),
             .bytes = record.place->bytes()};
  switch (environment_.home_.files.at(wanted_.file).read_at_once(text_buffer_, wanted_.offset)) {
    case ReadOutcome::kDone:
      record.raw = text_buffer_;
      return true;
    case ReadOutcome::kWouldWait:
      return false;
    case ReadOutcome::kFailed:
      break;
  }
  refuse(Refused::Kind::kMalformed, kUnreadable);
  return false;
}

Intake::Verdict Intake::judge(const Incoming& record, bool compile) const {
  const evaluation::Dialect& dialect = environment_.dialect_;
  Verdict verdict;
  if (record.raw->size() > evaluation::kMaxRecordBytes) {
    verdict.error = RecordError{.kind = RecordError::Kind::kTooLarge,
                                .message = "has " + std::to_string(record.raw->size()) +
                                           " bytes, more than " +
                                           std::to_string(evaluation::kMaxRecordBytes)};
    return verdict;
  }
  const evaluation::RecordText text{
      .kind = record.kind, .set_id = record.set_id, .key = record.key, .raw = *record.raw};
  if (compile) {
    evaluation::CompileResult compiled = dialect.compile(text);
    if (compiled) {
      verdict.form = std::move(*compiled);
    } else {
      verdict.error = std::move(compiled.error());
    }
  } else if (auto valid = dialect.validate(text); !valid) {
    verdict.error = std::move(valid.error());
  }
  return verdict;
}

Intake::Taken Intake::make_entry(Incoming& record, const EntryPointer& current,
                                 EntryPointer& made) {
  const std::size_t text_bytes =
      record.place ? 0 : TextBlock::bytes_for(record.raw ? record.raw->size() : 0);
  const std::size_t needed = Entry::bookkeeping_bytes(record.set_id.size(), record.key.size()) +
                             text_bytes + sizeof(RecordIndex::Edit) + kSlotBytes;
  if (!has_room(needed)) return refused_ ? Taken::kYes : Taken::kNoRoom;
  // What was hot stays hot; what flags refer to is there for all of them.
  const bool was_compiled = current && !current->is_tombstone() && current->compiled() != nullptr;
  const bool compile = was_compiled || record.kind != evaluation::kFlagKind;
  const bool judged = record.quarantined.has_value();
  if ((!judged || (compile && !*record.quarantined)) && !read_text(record)) {
    return refused_ ? Taken::kYes : Taken::kNoText;
  }
  std::unique_ptr<Quarantine> quarantined;
  Verdict verdict;
  if (judged && *record.quarantined) {
    quarantined = quarantine(record, current, "its last text did not compile");
  } else if (record.raw && (!judged || compile)) {
    verdict = judge(record, compile);
  }
  if (verdict.error) {
    const std::string message =
        name_of(environment_.dialect_, record.kind, record.set_id, record.key) + ": " +
        verdict.error->message;
    if (verdict.error->kind == RecordError::Kind::kMalformed) {
      refuse(Refused::Kind::kMalformed, message);
      return Taken::kYes;
    }
    quarantined = quarantine(record, current, message);
  }
  if (verdict.form && !environment_.home_.budget.fits(needed + verdict.form->bytes())) {
    verdict.form.reset();
  }
  if (!judged && record.raw) {
    record.traits = environment_.dialect_.traits({.kind = record.kind,
                                                  .set_id = record.set_id,
                                                  .key = record.key,
                                                  .raw = *record.raw});
  }
  Entry::Parts parts{.kind = record.kind,
                     .layer = layer_.index_,
                     .version = record.version,
                     .set_id = record.set_id,
                     .key = record.key,
                     .traits = record.traits,
                     .compiled = std::move(verdict.form),
                     .quarantine = std::move(quarantined)};
  if (record.place) {
    parts.filed = Entry::Filed{.place = *record.place, .content = record.content};
  } else {
    parts.raw = *record.raw;
  }
  made = Entry::make(std::move(parts), environment_.home_);
  if (made->compiled() != nullptr) change_.compiled.push_back(made);
  return Taken::kYes;
}

std::unique_ptr<Quarantine> Intake::quarantine(const Incoming& record, const EntryPointer& current,
                                               std::string message) {
  auto made = std::make_unique<Quarantine>();
  made->message = std::move(message);
  made->good = good_entry_for(record, current);
  return made;
}

EntryPointer Intake::good_entry_for(const Incoming& record, const EntryPointer& current) {
  if (current && !current->is_tombstone()) {
    return current->is_quarantined() ? current->quarantine()->good : current;
  }
  const auto good = good_texts_.find(RecordId{.kind = record.kind,
                                              .set_id = std::string(record.set_id),
                                              .key = std::string(record.key)});
  if (good == good_texts_.end()) return nullptr;
  const GoodText& text = *good->second;
  const evaluation::RecordText good_text{
      .kind = record.kind, .set_id = record.set_id, .key = record.key, .raw = text.raw};
  if (!environment_.dialect_.validate(good_text)) return nullptr;
  return Entry::make({.kind = record.kind,
                      .layer = layer_.index_,
                      .version = text.version,
                      .set_id = record.set_id,
                      .key = record.key,
                      .raw = text.raw,
                      .traits = environment_.dialect_.traits(good_text)},
                     environment_.home_);
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
