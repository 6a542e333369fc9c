#include "cache/entry_writer.h"

#include <cerrno>
#include <string>

namespace flagstone::cache {

bool EntryWriter::write(const Entry& entry) {
  StoredRecord record;
  record.kind = entry.kind();
  record.set_id = entry.set_id();
  record.key = entry.key();
  record.version = entry.version();
  record.tombstone = entry.is_tombstone();
  record.judged = true;
  record.quarantined = entry.is_quarantined();
  record.traits = entry.traits();
  const auto raw = reader_.text_of(entry);
  const Entry* good = entry.is_quarantined() ? entry.answering() : nullptr;
  const auto good_raw = good == nullptr ? std::nullopt : good_reader_.text_of(*good);
  if (!raw || (good != nullptr && !good_raw)) {
    error_ = {.code = EIO, .where = "read the text of \"" + std::string(entry.key()) + "\""};
    return false;
  }
  record.raw = *raw;
  record.good_raw = good_raw;
  if (good != nullptr) record.good_version = good->version();
  const WrittenTexts written = batch_.record(record);
  if (!entry.is_tombstone()) {
    texts_.push_back({.entry = &entry, .offset = batch_offset_ + written.raw});
  }
  if (good != nullptr) texts_.push_back({.entry = good, .offset = batch_offset_ + written.good});
  return true;
}

}  // namespace flagstone::cache
