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

#include "cache/document_spool.h"
#include "cache/reservation.h"
#include "evaluation/dialects/flagd/wire/decode_document.h"
#include "evaluation/update.h"
#include "upstream/incoming_memory.h"

namespace flagstone::upstream {

struct DecodedDocument {
  evaluation::Update update;
  std::string digest;
  std::uint64_t bytes = 0;
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

 private:
  struct Hash;

  void bound_memory();
  void give_up(std::string problem);
  void spool_records();
  void flush_spool();

  IncomingMemory memory_;
  std::optional<cache::Reservation> held_;
  std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
  std::unique_ptr<Hash> hash_;
  // One of the two.
  std::optional<evaluation::flagd::DocumentScanner> json_;
  std::string yaml_;
  // Of a document that is too large.
  std::unique_ptr<cache::DocumentSpool> spool_;
  std::string spool_buffer_;
  std::shared_ptr<cache::SpooledDocument> spooled_;
};

}  // namespace flagstone::upstream
