#include "sidecar/api/launchdarkly_sdk_document.h"

#include <cassert>

namespace flagstone::sidecar {
namespace {

namespace wire = evaluation::launchdarkly;

// The clock is looked at once for so many objects.
constexpr unsigned kObjectsPerLook = 16;
// How many texts are looked at beyond the one that the disk has to bring.
constexpr unsigned kObjectsAhead = 63;

}  // namespace

// The next record of the part that is being written; nullptr at its end.
const cache::Entry* SdkDocument::next(const cache::Snapshot& snapshot) {
  if (part_ == Part::kFlags) return snapshot.next_flag(walk_);
  while (const cache::Entry* record = snapshot.next_record(walk_)) {
    if (record->kind() == wire::kSegmentKind) return record;
  }
  return nullptr;
}

// Where one text has to be brought, its neighbours may have to be: all at once, not one by one.
void SdkDocument::look_ahead(const cache::Snapshot& snapshot, const cache::RecordReader& reader) {
  std::string text;
  for (unsigned i = 0; i < kObjectsAhead; ++i) {
    const cache::Entry* entry = next(snapshot);
    if (entry == nullptr) return;
    text.clear();
    if (entry->answering() != nullptr) (void)reader.append_text_of(*entry->answering(), text);
  }
}

SliceWritten SdkDocument::write(const cache::Snapshot& snapshot, cache::RecordReader& reader,
                                std::size_t bytes_max, Clock::time_point until, std::string& out) {
  assert(part_ != Part::kEnd);
  const std::size_t most = out.size() + bytes_max;
  reader.begin(snapshot);
  if (part_ == Part::kBegin) {
    writer_.begin(out, target_.view());
    part_ = Part::kFlags;
  }
  std::string text;
  for (unsigned objects = 1;; ++objects) {
    const cache::Snapshot::Walk before = walk_;
    const cache::Entry* entry = next(snapshot);
    if (entry == nullptr) {
      walk_ = cache::Snapshot::Walk();
      if (part_ == Part::kSegments || is_flags_only(writer_.form())) break;
      part_ = Part::kSegments;
      continue;
    }
    // What is in quarantine is served as it last was good, or not at all: an SDK would refuse
    // everything for its sake.
    const cache::Entry* answering = entry->answering();
    if (answering == nullptr) continue;
    text.clear();
    if (!reader.append_text_of(*answering, text)) {
      if (reader.waiting().empty()) return SliceWritten::kFailed;
      look_ahead(snapshot, reader);
      walk_ = before;
      return SliceWritten::kNeedsDisk;
    }
    writer_.add(
        out,
        {.kind = entry->kind(), .key = entry->key(), .version = answering->version(), .raw = text});
    if (out.size() >= most) return SliceWritten::kSlice;
    if (objects % kObjectsPerLook == 0 && Clock::now() >= until) return SliceWritten::kSlice;
  }
  writer_.finish(out, target_.view());
  part_ = Part::kEnd;
  return SliceWritten::kAll;
}

SliceWritten SdkDocumentText::write(const cache::ServingState& state, std::size_t bytes_max,
                                    std::string& out) {
  return document_.write(*state.environments[environment_].snapshot, desk_.reader, bytes_max,
                         SdkDocument::Clock::now() + desk_.settings.bulk_slice, out);
}

std::size_t SdkDocument::bytes_of(const cache::Snapshot& snapshot, wire::DocumentForm form) {
  std::size_t bytes = wire::DocumentWriter::kDocumentFrameBytes;
  cache::Snapshot::Walk walk;
  while (const cache::Entry* record = snapshot.next_record(walk)) {
    const bool is_flag = record->kind() == evaluation::kFlagKind;
    const cache::Entry* answering = record->answering();
    if (answering == nullptr || (is_flags_only(form) && !is_flag)) continue;
    bytes += answering->text_bytes() + record->key().size();
    bytes += wire::DocumentWriter::frame_bytes(form);
  }
  return bytes;
}

}  // namespace flagstone::sidecar
