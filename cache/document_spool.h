// A document too large to be held in memory while it is taken in: its records in a file without a
// name, one after the other, written as the document arrives and read once it is known to be whole.
//
// SpoolEncoder and read_spooled() are pure functions on bytes. A SpooledDocument is made by whoever
// receives the document and eaten by Intake, both on the keeper's thread; the writer alone writes the
// file. The file goes when nothing names it any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "evaluation/update.h"

namespace flagstone::cache {

// One record in a spool. Views of the bytes it was read from.
struct SpooledRecord {
  evaluation::RecordKind kind{};
  // False: the record belongs to the set that the document as a whole names.
  bool has_own_set = false;
  std::string_view set_id;
  std::string_view key;
  std::string_view raw;
};

void append_spooled(std::string& out, const SpooledRecord& record);
// The record that `bytes` begin with, which are taken off. Nullopt when they do not hold all of it;
// `needed` is then how many bytes there have to be, as far as that can be told.
std::optional<SpooledRecord> read_spooled(std::string_view& bytes, std::size_t& needed);

// What EnvironmentFeed is handed in the place of records. The number is one of EntryHome::files, held
// once until the document was taken in.
class SpooledDocument final : public evaluation::RecordsElsewhere {
 public:
  std::uint32_t file = 0;
  std::uint64_t bytes = 0;
  std::size_t records = 0;
  std::size_t text_bytes = 0;
  std::string document_set_id;
};

}  // namespace flagstone::cache
