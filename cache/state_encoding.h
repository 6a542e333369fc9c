// The bytes of the state: how records lie in base files and segments, and what a manifest says.
//
// Pure functions on bytes, little-endian, every piece under its own checksum (XXH3). Reading never
// trusts a length: whatever does not add up is an error that says what. The format:
//
//   batch    = header record* footer         a base file is one batch, a segments file several
//   header   = magic format generation sequence source created checksum
//   record   = size checksum body            the checksum is seeded by the batch and the position,
//   body     = type flags kind version ...   so that records cannot change places
//   footer   = 0xffffffff count chain checksum
//   manifest = magic format fields checksum
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "evaluation/dialect.h"
#include "evaluation/record.h"

namespace flagstone::cache {

inline constexpr std::uint32_t kStateFormat = 1;

struct BatchHeader {
  std::uint64_t generation = 0;
  // 0 for a base, then 1, 2, ... for the segments' batches.
  std::uint64_t sequence = 0;
  // Of the source's identity.
  std::uint64_t source_hash = 0;
  std::int64_t created_unix_ms = 0;
};

// One record on disk; views of memory that outlives the call.
struct StoredRecord {
  evaluation::RecordKind kind{};
  std::string_view set_id = {};
  std::string_view key = {};
  std::int64_t version = 0;
  bool tombstone = false;
  // In segments: the record is gone and leaves no version behind.
  bool removed = false;
  std::string_view raw = {};
  // The last text that compiled, when `raw` does not.
  std::optional<std::string_view> good_raw = std::nullopt;
  std::int64_t good_version = 0;
  // What was found out about `raw` when it was written; of older states nothing is known.
  bool judged = false;
  bool quarantined = false;
  evaluation::RecordTraits traits = {};
  // Where the texts lie in the file. Known when read back; BatchWriter::record() tells otherwise.
  std::uint64_t raw_offset = 0;
  std::uint64_t good_offset = 0;
};

// Where a record's texts lie, in bytes from the batch's beginning.
struct WrittenTexts {
  std::uint64_t raw = 0;
  std::uint64_t good = 0;
};

class BatchWriter {
 public:
  // Appends the header to `out`, which is only appended to and may be emptied in between.
  BatchWriter(std::string& out, const BatchHeader& header);
  WrittenTexts record(const StoredRecord& record);
  // The document's metadata member; a batch without leaves it as it was.
  void metadata(std::string_view raw);
  void finish();

 private:
  void append_body();

  std::string& out_;
  std::string body_;
  std::uint64_t seed_;
  std::uint64_t count_ = 0;
  std::uint64_t chain_ = 0;
  std::uint64_t bytes_;
};

// Where batches are read from.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // The next `size` bytes, valid until the next call; an error when there are not so many.
  virtual std::expected<std::string_view, std::string> take(std::size_t size) = 0;
  virtual bool at_end() const = 0;
  // Where what take() last gave ends, in bytes from the file's beginning.
  virtual std::uint64_t offset() const = 0;
};

struct BatchSink {
  std::function<void(const StoredRecord&)> record;
  std::function<void(std::string_view)> metadata;
};

// Reads one whole batch that must carry this generation, sequence and source. What the sink was
// given counts only when the result is good.
std::expected<void, std::string> read_batch(ByteSource& from, const BatchHeader& expected,
                                            const BatchSink& sink);

struct Manifest {
  std::uint64_t generation = 0;
  std::string identity;  // SHA-256 of who the source is
  std::string salt;      // of the credential's hash
  std::string credential_hash;
  std::string cursor;
  // When upstream was last in contact. Older states say when they were written, which is later.
  std::int64_t contact_unix_ms = 0;
  std::uint64_t base_bytes = 0;
  // How much of the segments file belongs to the state; bytes behind are of a write that was cut.
  std::uint64_t segment_bytes = 0;
  std::uint64_t segment_count = 0;
};
std::string encode_manifest(const Manifest& manifest);
std::expected<Manifest, std::string> decode_manifest(std::string_view bytes);

// A named value with its checksum. decode_blob: nullopt when it is damaged.
std::string encode_blob(std::string_view bytes);
std::optional<std::string_view> decode_blob(std::string_view bytes);

}  // namespace flagstone::cache
