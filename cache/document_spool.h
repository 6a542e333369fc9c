// A document too large to be held in memory while it is taken in: its records in a file without a
// name, one after the other, written as the document arrives and read once it is known to be whole.
//
// SpoolEncoder and read_spooled() are pure functions on bytes. A SpooledDocument is made by whoever
// receives the document and eaten by Intake, both on the keeper's thread; the writer alone writes
// the file. The file goes when nothing names it any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cache/readable_file.h"
#include "evaluation/update.h"

namespace flagstone::cache {

// One record in a spool. Views of the bytes it was read from.
struct SpooledRecord {
  evaluation::RecordKind kind{};
  // False: the record belongs to the set that the document as a whole names.
  bool has_own_set = false;
  bool tombstone = false;
  std::int64_t version = 0;
  std::string_view set_id;
  std::string_view key;
  std::string_view raw;
};

void append_spooled(std::string& out, const SpooledRecord& record);
// The record that `bytes` begin with, which are taken off. Nullopt when they do not hold all of it;
// `needed` is then how many bytes there have to be, as far as that can be told.
std::optional<SpooledRecord> read_spooled(std::string_view& bytes, std::size_t& needed);

// Of the memory limit: what the records of one document may take before they are spooled.
inline constexpr std::size_t kSpoolShareOfLimit = 8;

// Why there is no spool, or not all of it.
struct SpoolProblem {
  std::string message;  // "write: No space left on device"
  // The disk was too slow: asked for again, the document may come through.
  bool passes = false;
};

// What the writer made of a spool, and the keeper reads once the writer is done with it.
struct SpoolFile {
  virtual ~SpoolFile() = default;

  std::unique_ptr<const ReadableFile> file;
  std::optional<SpoolProblem> problem;
};

// An update's records, in a file.
class SpooledDocument final : public evaluation::RecordsElsewhere {
 public:
  std::shared_ptr<SpoolFile> spool;
  // The problem was known as it arrived: the writer has nothing more to do with the spool.
  bool given_up = false;
  std::uint64_t bytes = 0;
  std::size_t records = 0;
  std::size_t text_bytes = 0;
  std::string document_set_id;
};

// A spool that is being written. Keeper's thread; nothing waits.
class DocumentSpool {
 public:
  virtual ~DocumentSpool() = default;
  // Queues the bytes. The error says why no more are taken: the writer's queue is full, or there
  // are more than the state may hold.
  virtual std::expected<void, SpoolProblem> append(std::string bytes) = 0;
  // Of those, what the disk has not taken yet. Whoever feeds the spool keeps it small.
  virtual std::size_t waiting_bytes() const = 0;
  // What the writer fills, in the order it was queued.
  virtual std::shared_ptr<SpoolFile> file() const = 0;
};

// Where spools come from: the state directory.
class DocumentSpools {
 public:
  virtual ~DocumentSpools() = default;
  // nullptr: there is no state directory, or it lies in memory itself.
  virtual std::unique_ptr<DocumentSpool> open() = 0;
};

}  // namespace flagstone::cache
