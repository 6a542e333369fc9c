// A flagd document on its way in: bytes to records and digest, JSON as it arrives, YAML when it is
// complete. What grows too large for memory goes into a spool of the state directory, record by
// record.
//
// Owned by a flagd source; one document at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "evaluation/content_hash.h"
#include "evaluation/dialects/flagd/wire/decode_document.h"
#include "evaluation/update.h"
#include "upstream/incoming_records.h"

namespace flagstone::upstream {

struct DecodedDocument {
  evaluation::Update update;
  // Of the bytes as they came, after decompression: the same for equal bytes.
  std::string digest;
};

class FlagdDecoder {
 public:
  FlagdDecoder(evaluation::flagd::DocumentFormat format, std::uint64_t document_bytes_max,
               const IncomingMemory& memory);
  ~FlagdDecoder();
  FlagdDecoder(const FlagdDecoder&) = delete;
  FlagdDecoder& operator=(const FlagdDecoder&) = delete;

  // The errors say what is wrong with the document, and where.
  std::expected<void, std::string> feed(std::string_view piece);
  // Call once.
  std::expected<DecodedDocument, std::string> finish();
  // See IncomingRecords.
  bool is_behind() const { return records_.is_behind(); }
  void stop_waiting() { records_.stop_waiting(); }

 private:
  void spool_records();

  std::uint64_t bytes_max_;
  evaluation::ContentHash digest_;
  IncomingRecords records_;
  // One of the two.
  std::optional<evaluation::flagd::DocumentScanner> json_;
  std::string yaml_;
};

}  // namespace flagstone::upstream
