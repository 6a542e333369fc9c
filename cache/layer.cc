#include "cache/layer.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "cache/memory_budget.h"
#include "cache/record_reader.h"
#include "cache/text_files.h"

namespace flagstone::cache {
namespace {

// More than that, and writing everything is cheaper than naming what changed.
constexpr std::size_t kUnsavedIdsMax = 2000;

// Which of the list's files that is; held once for the list.
std::uint32_t number_in(FiledRecords& records, std::uint32_t file, TextFiles& files) {
  const auto at = std::find(records.numbers.begin(), records.numbers.end(), file);
  if (at != records.numbers.end()) {
    return static_cast<std::uint32_t>(at - records.numbers.begin());
  }
  files.hold(file);
  records.numbers.push_back(file);
  return static_cast<std::uint32_t>(records.numbers.size() - 1);
}

FiledRecord filed_copy(const Entry& entry, TextPlace place, std::uint32_t file) {
  FiledRecord record;
  record.kind = entry.kind();
  // Another environment's options may judge otherwise.
  record.judged = false;
  record.version = entry.version();
  record.set_id = entry.set_id();
  record.key = entry.key();
  record.file = file;
  record.text_bytes = static_cast<std::uint32_t>(place.bytes());
  record.offset = place.offset();
  record.content = entry.text_hash();
  return record;
}

}  // namespace

Layer::Layer(LayerOptions options, std::uint16_t index, MemoryBudget& budget)
    : options_(std::move(options)), index_(index), records_(budget) {
  auto document = std::make_shared<SnapshotLayer>();
  document->name = options_.name;
  document_ = std::move(document);
}

std::vector<QuarantinedRecord> Layer::quarantined() const {
  std::vector<QuarantinedRecord> named;
  if (records_.quarantined_count() == 0) return named;
  RecordIndex::Position position;
  while (const EntryPointer* entry = records_.next(position)) {
    const Quarantine* quarantine = (*entry)->quarantine();
    if (quarantine == nullptr) continue;
    named.push_back({.id = (*entry)->id(),
                     .message = quarantine->message,
                     .answers = quarantine->good != nullptr});
    if (named.size() == kQuarantinedListedMax) break;
  }
  return named;
}

RestoredLayer Layer::restored_copy(TextFiles& files) const {
  assert(has_document_);
  RestoredLayer copy;
  evaluation::Update& update = copy.update;
  update.kind = evaluation::UpdateKind::kFull;
  update.metadata = document_->metadata;
  update.has_metadata = !update.metadata.empty();
  update.cursor = cursor_;
  RecordReader reader(RecordReader::Patience::kDisk);
  RecordIndex::Position position;
  while (const EntryPointer* next = records_.next(position)) {
    const Entry& entry = **next;
    if (const TextPlace place = entry.text(); place.is_in_file()) {
      copy.filed.add(filed_copy(entry, place, number_in(copy.filed, place.file(), files)));
    } else {
      update.records.push_back({.id = entry.id(),
                                .version = entry.version(),
                                .tombstone = entry.is_tombstone(),
                                .raw = std::string(entry.is_tombstone() ? "" : place.text())});
    }
    const Entry* good = entry.is_quarantined() ? entry.answering() : nullptr;
    const auto good_raw = good == nullptr ? std::nullopt : reader.text_of(*good);
    if (!good_raw) continue;
    copy.good_texts.push_back(
        {.id = entry.id(), .version = good->version(), .raw = std::string(*good_raw)});
  }
  return copy;
}

void Layer::note_unsaved(const std::vector<RecordIndex::Edit>& edits) {
  unsaved_ = true;
  if (everything_unsaved_ || unsaved_ids_.size() + edits.size() > kUnsavedIdsMax) {
    everything_unsaved_ = true;
    unsaved_ids_.clear();
    return;
  }
  for (const RecordIndex::Edit& edit : edits) unsaved_ids_.push_back(edit.entry->id());
}

void Layer::note_saved() {
  unsaved_ = false;
  everything_unsaved_ = false;
  unsaved_ids_.clear();
}

void Layer::bound_tombstones(std::vector<RecordIndex::Edit>& edits) {
  for (const RecordIndex::Edit& edit : edits) {
    if (!edit.erase && edit.entry->is_tombstone()) tombstones_.push_back(edit.entry->id());
  }
  while (tombstones_.size() > kTombstonesMax) {
    const evaluation::RecordId oldest = std::move(tombstones_.front());
    tombstones_.pop_front();
    // It may have come back to life, or this very update may be about it.
    EntryPointer stored = records_.share_stored(oldest.kind, oldest.set_id, oldest.key);
    if (stored == nullptr || !stored->is_tombstone()) continue;
    bool edited = false;
    for (const RecordIndex::Edit& edit : edits) edited = edited || edit.entry->same_id(*stored);
    if (!edited) edits.push_back(RecordIndex::erase(std::move(stored)));
  }
}

}  // namespace flagstone::cache
