// How an intake makes entries: room for them, what the dialect says of their texts, and quarantine.
#include <utility>

#include "cache/entry_home.h"
#include "cache/intake.h"

namespace flagstone::cache {
namespace {

using evaluation::RecordError;
using evaluation::RecordId;

// What an entry costs in its page.
constexpr std::size_t kSlotBytes = 24;

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

bool Intake::has_room(std::size_t bytes) {
  // All edits so far will have their slots in pages yet to be made, beside themselves.
  bytes += (change_.edits.size() + 1) * (kSlotBytes + sizeof(RecordIndex::Edit));
  if (environment_.home_.budget.fits(bytes)) return true;
  RoomMaker* room = environment_.home_.room;
  if (room != nullptr && room->make_room(bytes)) return false;
  refuse(Refused::Kind::kOverMemory, "the update does not fit into the memory limit of " +
                                         std::to_string(environment_.home_.budget.limit_bytes()) +
                                         " bytes beside what is there");
  return false;
}

Intake::Verdict Intake::judge(const Incoming& record, bool compile) const {
  const evaluation::Dialect& dialect = environment_.dialect_;
  Verdict verdict;
  if (record.raw->size() > dialect.record_bytes_max()) {
    verdict.error =
        RecordError{.kind = RecordError::Kind::kTooLarge,
                    .message = "has " + std::to_string(record.raw->size()) + " bytes, more than " +
                               std::to_string(dialect.record_bytes_max())};
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
  const std::size_t needed =
      Entry::bookkeeping_bytes(record.set_id.size(), record.key.size()) + text_bytes;
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
    record.traits = environment_.dialect_.traits(
        {.kind = record.kind, .set_id = record.set_id, .key = record.key, .raw = *record.raw});
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
  const auto good = good_texts_.find(RecordId{
      .kind = record.kind, .set_id = std::string(record.set_id), .key = std::string(record.key)});
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

}  // namespace flagstone::cache
