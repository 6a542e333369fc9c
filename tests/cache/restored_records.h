// What a loaded state holds, record by record, as a test wants to look at it.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cache/layer_image.h"

namespace flagstone::cache {

// Eats the list: of records with one id the last counts.
inline std::vector<evaluation::Record> restored_records(RestoredLayer& layer) {
  std::map<evaluation::RecordId, evaluation::Record> records;
  for (evaluation::Record& record : layer.update.records) {
    const evaluation::RecordId id = record.id;
    records[id] = std::move(record);
  }
  while (layer.filed.left() > 0) {
    const FiledRecord filed = layer.filed.take();
    const evaluation::RecordId id{
        .kind = filed.kind, .set_id = std::string(filed.set_id), .key = std::string(filed.key)};
    records.erase(id);
    if (filed.removed) continue;
    std::string raw(filed.text_bytes, '\0');
    if (!filed.tombstone) {
      EXPECT_EQ(layer.filed.files.at(filed.file)->read(raw, filed.offset), ReadOutcome::kDone);
    }
    records[id] = {
        .id = id, .version = filed.version, .tombstone = filed.tombstone, .raw = std::move(raw)};
  }
  std::vector<evaluation::Record> list;
  for (auto& [id, record] : records) list.push_back(std::move(record));
  return list;
}

}  // namespace flagstone::cache
