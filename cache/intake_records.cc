// Where an intake's records come from: memory, the state's files, a spooled document.
#include <algorithm>
#include <utility>

#include "cache/entry_home.h"
#include "cache/intake.h"

namespace flagstone::cache {
namespace {

using evaluation::Record;

// How much of a spooled document is read at a time.
constexpr std::size_t kWindowBytes = std::size_t{256} * 1024;
constexpr const char* kUnreadable = "the state directory's files cannot be read";

// With so much of a memory limit the document needs no spool.
std::string remedy(const SpooledDocument& document) {
  constexpr std::size_t kMiB = std::size_t{1024} * 1024;
  const std::size_t held = document.text_bytes + document.records * 2 * sizeof(Record);
  return "; a `cache.memory_limit` of " + std::to_string(kSpoolShareOfLimit * held / kMiB + 1) +
         " MiB takes it in without the disk";
}

Refused not_spooled(const SpooledDocument& document, const SpoolProblem& problem) {
  if (problem.passes) {
    return {
        .kind = Refused::Kind::kDiskTooSlow,
        .message = "it comes in by way of the state directory, whose disk is too slow or hangs: " +
                   problem.message + "; a faster disk for `state.dir` helps" + remedy(document)};
  }
  return {.kind = Refused::Kind::kOverMemory,
          .message =
              "it is too large for what `cache.memory_limit` leaves to a document that comes "
              "in, and the state directory cannot take it meanwhile: " +
              problem.message + remedy(document)};
}

}  // namespace

void Intake::open_files() {
  constexpr const char* kTooMany = "too many files of the state are open";
  for (auto& file : restored_.filed.files) {
    const auto number = environment_.home_.files.add(std::move(file));
    if (!number) return refuse(Refused::Kind::kOverMemory, kTooMany);
    restored_.filed.numbers.push_back(*number);
  }
  if (spooled_ == nullptr) return;
  SpoolFile& spool = *spooled_->spool;
  if (spool.problem) {
    Refused refused = not_spooled(*spooled_, *spool.problem);
    return refuse(refused.kind, std::move(refused.message));
  }
  const auto number = environment_.home_.files.add(std::move(spool.file));
  if (!number) return refuse(Refused::Kind::kOverMemory, kTooMany);
  spool_file_ = *number;
}

void Intake::let_go_of_files() {
  for (const std::uint32_t number : restored_.filed.numbers) {
    environment_.home_.files.let_go(number);
  }
  restored_.filed.numbers.clear();
  if (spool_file_ != TextPlace::kFilesMax) environment_.home_.files.let_go(spool_file_);
  spool_file_ = TextPlace::kFilesMax;
  spooled_ = nullptr;
  restored_.update.elsewhere.reset();
}

void Intake::count(evaluation::RecordKind kind) {
  const auto number = static_cast<std::size_t>(kind);
  if (number < change_.of_kind.size()) ++change_.of_kind[number];
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
  count(record.id.kind);
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
  Incoming incoming{.kind = record->kind,
                    .tombstone = record->tombstone,
                    .version = record->version,
                    .set_id = set_id,
                    .key = record->key,
                    .raw = record->raw};
  if (!record->tombstone) {
    incoming.place = TextPlace::in_file(spool_file_, raw_offset, record->raw.size());
    incoming.content = Entry::content_of(record->kind, set_id, record->key, record->raw);
  }
  const Taken taken = take(incoming);
  if (taken != Taken::kYes || refused_) return taken;
  count(record->kind);
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

}  // namespace flagstone::cache
