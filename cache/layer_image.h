// What one source last had, as an immutable value that can leave the keeper: the writer saves it,
// and posts it back to the keeper, which alone destroys it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cache/filed_records.h"
#include "cache/readable_file.h"
#include "cache/record_index.h"
#include "evaluation/record.h"
#include "evaluation/update.h"

namespace flagstone::cache {

struct LayerImage {
  // Tombstones too.
  RecordIndex records;
  // The document's metadata member as JSON text, "" when it has none.
  std::string metadata;
  // Belongs to exactly these records.
  std::string cursor;
};

// What has to be written so that the state is what the layer is. Taken from
// Environment::take_state_write(), given to StateDirectory::save().
struct StateWrite {
  LayerImage image;
  // True: the state on disk has nothing to do with the image, or too much changed to name it.
  bool everything = true;
  // Otherwise the ids whose records differ from what was last written. May be empty: only the
  // cursor or the metadata moved.
  std::vector<evaluation::RecordId> changed;
  // When upstream was last in contact; not when this was written.
  std::int64_t contact_unix_ms = 0;
};

// The last text of a quarantined record that compiled. Survives a restart beside the newest text.
struct GoodText {
  evaluation::RecordId id;
  std::int64_t version = 0;
  std::string raw;
};

// What StateDirectory::load() gives and Environment::begin_restored() takes.
struct RestoredLayer {
  // kFull, cursor included (empty when the credential is another one). Its records are those that
  // lie in memory; the others are in `filed`. Tombstones too.
  evaluation::Update update;
  FiledRecords filed;
  std::vector<GoodText> good_texts;
};

// Where the texts of an image lie now that it was saved.
struct SavedTexts {
  struct Text {
    const Entry* entry = nullptr;  // the image's
    std::uint64_t offset = 0;
  };
  // nullptr: the file that was given with the image saved before, to which more was appended.
  std::unique_ptr<const ReadableFile> file;
  std::vector<Text> texts;
};

}  // namespace flagstone::cache
