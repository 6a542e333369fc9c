// Cuts a flagd document into records while its bytes arrive: chunks in, records out.
//
// Owned by whoever receives the document; one thread. Validates every byte (JSON grammar, UTF-8),
// without recursion, whatever the chunks are. Holds one record at most besides the finished ones.
// A record that is too deep or too large is still cut, and refused by Dialect::compile() alone;
// everything else that is wrong refuses the document.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "evaluation/document_error.h"
#include "evaluation/update.h"

namespace flagstone::evaluation::flagd {

using evaluation::DocumentError;
using evaluation::to_string;

// What a document holds. `update.kind` is kFull, its records in the document's order, flags and
// evaluators with their set ids; `update.metadata` is the document's metadata object.
struct ScannedDocument {
  Update update;
  // The line on which each record's value begins, parallel to `update.records`.
  std::vector<std::uint32_t> record_lines;
  std::uint32_t metadata_line = 0;
  // The set of records that name none: what metadata.flagSetId says.
  std::string document_set_id;
};

// A record that is complete while its document is not yet.
struct DrainedRecord {
  Record record;
  // Otherwise it belongs to the document's set, which finish() names.
  bool has_own_set = false;
};

class DocumentScanner {
 public:
  // Refuses documents of more bytes than that.
  explicit DocumentScanner(std::size_t document_bytes_max);
  ~DocumentScanner();
  DocumentScanner(DocumentScanner&&) noexcept;
  DocumentScanner& operator=(DocumentScanner&&) noexcept;

  // Eats the next bytes. After an error every further call gives the same error.
  std::expected<void, DocumentError> feed(std::string_view chunk);
  // Bytes of the records that are complete.
  std::size_t held_bytes() const;
  // Takes them out: finish() is without them. From then on a second `flags` or `$evaluators` is
  // refused, since what it replaces has gone already.
  std::vector<DrainedRecord> drain();
  // No more bytes come: the document, or why it is none. Call once.
  std::expected<ScannedDocument, DocumentError> finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flagstone::evaluation::flagd
