// Puts entries into a batch of the state, wherever their texts lie now, and notes where they lie
// then.
//
// One thread, which may wait for the disk: the writer's. Fails when a text cannot be read any more.
#pragma once

#include <cstdint>
#include <vector>

#include "cache/file_system.h"
#include "cache/layer_image.h"
#include "cache/record_reader.h"
#include "cache/state_encoding.h"

namespace flagstone::cache {

class EntryWriter {
 public:
  // `batch_offset`: of the batch in its file. Borrows both.
  EntryWriter(BatchWriter& batch, std::uint64_t batch_offset, std::vector<SavedTexts::Text>& texts)
      : batch_(batch), batch_offset_(batch_offset), texts_(texts) {}

  // False: see error().
  [[nodiscard]] bool write(const Entry& entry);
  const FileError& error() const { return error_; }

 private:
  BatchWriter& batch_;
  std::uint64_t batch_offset_;
  std::vector<SavedTexts::Text>& texts_;
  // Two texts of one record are needed at the same time.
  RecordReader reader_{RecordReader::Patience::kDisk};
  RecordReader good_reader_{RecordReader::Patience::kDisk};
  FileError error_;
};

}  // namespace flagstone::cache
