#include "cache/state_encoding.h"

#include "cache/byte_codec.h"
#include "cache/hash_bytes.h"

namespace flagstone::cache {
namespace {

constexpr std::uint64_t kBatchMagic = 0x3142'4554'4154'5346;     // "FSTATEB1"
constexpr std::uint64_t kManifestMagic = 0x314d'4554'4154'5346;  // "FSTATEM1"
constexpr std::uint64_t kBlobMagic = 0x3142'4f4c'4254'5346;      // "FSTBLOB1"

constexpr std::size_t kHeaderBytes = 8 + 4 + 4 * 8 + 8;
constexpr std::size_t kRecordPrefixBytes = 4 + 8;
constexpr std::uint32_t kFooterMark = 0xffffffff;
constexpr std::size_t kFooterRestBytes = 8 + 8;

enum BodyType : std::uint8_t { kRecordBody = 1, kMetadataBody = 2 };
constexpr std::uint8_t kTombstoneFlag = 1;
constexpr std::uint8_t kRemovedFlag = 2;
constexpr std::uint8_t kGoodFlag = 4;
constexpr std::uint8_t kJudgedFlag = 8;
constexpr std::uint8_t kQuarantinedFlag = 16;
constexpr std::uint8_t kRefersFlag = 32;
constexpr std::uint8_t kClockFlag = 64;

int flags_of(const StoredRecord& record) {
  int flags = record.tombstone ? kTombstoneFlag : 0;
  if (record.removed) flags |= kRemovedFlag;
  if (record.good_raw) flags |= kGoodFlag;
  if (record.judged) flags |= kJudgedFlag;
  if (record.quarantined) flags |= kQuarantinedFlag;
  if (record.traits.refers_to_others) flags |= kRefersFlag;
  if (record.traits.reads_clock) flags |= kClockFlag;
  return flags;
}

std::string encode_header(const BatchHeader& header) {
  std::string bytes;
  append_number(bytes, kBatchMagic);
  append_number(bytes, kStateFormat);
  append_number(bytes, header.generation);
  append_number(bytes, header.sequence);
  append_number(bytes, header.source_hash);
  append_signed(bytes, header.created_unix_ms);
  return bytes;
}

// What a batch's checksums start from: its whole header.
std::uint64_t seed_of(std::string_view header) { return hash_bytes(header, kBatchMagic); }

std::uint64_t body_checksum(std::string_view body, std::uint64_t seed, std::uint64_t number) {
  return hash_bytes(body, seed + mix_bits(number + 1));
}

std::uint64_t footer_checksum(std::uint64_t seed, std::uint64_t count, std::uint64_t chain) {
  return mix_bits(seed ^ mix_bits(count ^ mix_bits(chain)));
}

std::unexpected<std::string> damaged(std::string_view what) {
  return std::unexpected(std::string(what));
}

std::expected<std::uint64_t, std::string> read_header(ByteSource& from,
                                                      const BatchHeader& expected) {
  const auto bytes = from.take(kHeaderBytes);
  if (!bytes) return std::unexpected(bytes.error());
  const std::string_view fields = bytes->substr(0, kHeaderBytes - 8);
  ByteReader checksum(bytes->substr(kHeaderBytes - 8));
  const std::uint64_t seed = seed_of(fields);
  if (checksum.number<std::uint64_t>() != seed) return damaged("header checksum");
  ByteReader reader(fields);
  if (reader.number<std::uint64_t>() != kBatchMagic) return damaged("no batch of ours");
  if (reader.number<std::uint32_t>() != kStateFormat) return damaged("unknown format version");
  if (reader.number<std::uint64_t>() != expected.generation) return damaged("other generation");
  if (reader.number<std::uint64_t>() != expected.sequence) return damaged("other sequence");
  if (reader.number<std::uint64_t>() != expected.source_hash) return damaged("other source");
  return seed;
}

// `offset`: of the body in its file.
bool read_body(std::string_view body, std::uint64_t offset, const BatchSink& sink) {
  ByteReader reader(body);
  const auto type = reader.number<std::uint8_t>();
  if (type == kMetadataBody) {
    const std::string_view raw = reader.text();
    if (!reader.complete()) return false;
    sink.metadata(raw);
    return true;
  }
  if (type != kRecordBody) return false;
  StoredRecord record;
  const auto flags = reader.number<std::uint8_t>();
  record.tombstone = (flags & kTombstoneFlag) != 0;
  record.removed = (flags & kRemovedFlag) != 0;
  record.kind = evaluation::RecordKind{reader.number<std::uint8_t>()};
  record.version = reader.signed_number();
  record.set_id = reader.text();
  record.key = reader.text();
  record.raw = reader.text();
  record.raw_offset = offset + static_cast<std::uint64_t>(record.raw.data() - body.data());
  record.judged = (flags & kJudgedFlag) != 0;
  record.quarantined = (flags & kQuarantinedFlag) != 0;
  record.traits = {.refers_to_others = (flags & kRefersFlag) != 0,
                   .reads_clock = (flags & kClockFlag) != 0};
  if ((flags & kGoodFlag) != 0) {
    record.good_version = reader.signed_number();
    record.good_raw = reader.text();
    record.good_offset = offset + static_cast<std::uint64_t>(record.good_raw->data() - body.data());
  }
  if (!reader.complete()) return false;
  sink.record(record);
  return true;
}

std::string with_checksum(std::string bytes, std::uint64_t magic) {
  append_number(bytes, hash_bytes(bytes, magic));
  return bytes;
}

// The bytes before the checksum; nullopt when it does not match.
std::optional<std::string_view> checked(std::string_view bytes, std::uint64_t magic) {
  if (bytes.size() < 8) return std::nullopt;
  const std::string_view fields = bytes.substr(0, bytes.size() - 8);
  ByteReader checksum(bytes.substr(fields.size()));
  if (checksum.number<std::uint64_t>() != hash_bytes(fields, magic)) return std::nullopt;
  return fields;
}

}  // namespace

BatchWriter::BatchWriter(std::string& out, const BatchHeader& header) : out_(out) {
  const std::string bytes = encode_header(header);
  seed_ = seed_of(bytes);
  out_ += bytes;
  append_number(out_, seed_);
  bytes_ = kHeaderBytes;
}

void BatchWriter::append_body() {
  const std::uint64_t checksum = body_checksum(body_, seed_, count_);
  append_number(out_, static_cast<std::uint32_t>(body_.size()));
  append_number(out_, checksum);
  out_ += body_;
  ++count_;
  chain_ = mix_bits(chain_ ^ checksum);
  bytes_ += kRecordPrefixBytes + body_.size();
}

WrittenTexts BatchWriter::record(const StoredRecord& record) {
  body_.clear();
  append_number(body_, std::uint8_t{kRecordBody});
  append_number(body_, static_cast<std::uint8_t>(flags_of(record)));
  append_number(body_, static_cast<std::uint8_t>(record.kind));
  append_signed(body_, record.version);
  append_text(body_, record.set_id);
  append_text(body_, record.key);
  append_text(body_, record.raw);
  WrittenTexts written;
  const std::uint64_t body_begin = bytes_ + kRecordPrefixBytes;
  written.raw = body_begin + body_.size() - record.raw.size();
  if (record.good_raw) {
    append_signed(body_, record.good_version);
    append_text(body_, *record.good_raw);
    written.good = body_begin + body_.size() - record.good_raw->size();
  }
  append_body();
  return written;
}

void BatchWriter::metadata(std::string_view raw) {
  body_.clear();
  append_number(body_, std::uint8_t{kMetadataBody});
  append_text(body_, raw);
  append_body();
}

void BatchWriter::finish() {
  append_number(out_, kFooterMark);
  append_number(out_, footer_checksum(seed_, count_, chain_));
  append_number(out_, count_);
  append_number(out_, chain_);
}

std::expected<void, std::string> read_batch(ByteSource& from, const BatchHeader& expected,
                                            const BatchSink& sink) {
  const auto seed = read_header(from, expected);
  if (!seed) return std::unexpected(seed.error());
  std::uint64_t count = 0;
  std::uint64_t chain = 0;
  while (true) {
    const auto prefix = from.take(kRecordPrefixBytes);
    if (!prefix) return std::unexpected(prefix.error());
    ByteReader reader(*prefix);
    const auto size = reader.number<std::uint32_t>();
    const auto checksum = reader.number<std::uint64_t>();
    if (size == kFooterMark) {
      if (checksum != footer_checksum(*seed, count, chain)) return damaged("footer checksum");
      const auto rest = from.take(kFooterRestBytes);
      if (!rest) return std::unexpected(rest.error());
      ByteReader footer(*rest);
      if (footer.number<std::uint64_t>() != count) return damaged("footer count");
      if (footer.number<std::uint64_t>() != chain) return damaged("footer chain");
      return {};
    }
    const auto body = from.take(size);
    if (!body) return std::unexpected(body.error());
    if (checksum != body_checksum(*body, *seed, count)) return damaged("record checksum");
    if (!read_body(*body, from.offset() - body->size(), sink))
      return damaged("record that is none");
    ++count;
    chain = mix_bits(chain ^ checksum);
  }
}

std::string encode_manifest(const Manifest& manifest) {
  std::string bytes;
  append_number(bytes, kManifestMagic);
  append_number(bytes, kStateFormat);
  append_number(bytes, manifest.generation);
  append_text(bytes, manifest.identity);
  append_text(bytes, manifest.salt);
  append_text(bytes, manifest.credential_hash);
  append_text(bytes, manifest.cursor);
  append_signed(bytes, manifest.contact_unix_ms);
  append_number(bytes, manifest.base_bytes);
  append_number(bytes, manifest.segment_bytes);
  append_number(bytes, manifest.segment_count);
  return with_checksum(std::move(bytes), kManifestMagic);
}

std::expected<Manifest, std::string> decode_manifest(std::string_view bytes) {
  const std::optional<std::string_view> fields = checked(bytes, kManifestMagic);
  if (!fields) return damaged("manifest checksum");
  ByteReader reader(*fields);
  if (reader.number<std::uint64_t>() != kManifestMagic) return damaged("no manifest of ours");
  if (reader.number<std::uint32_t>() != kStateFormat) return damaged("unknown format version");
  Manifest manifest;
  manifest.generation = reader.number<std::uint64_t>();
  manifest.identity = reader.text();
  manifest.salt = reader.text();
  manifest.credential_hash = reader.text();
  manifest.cursor = reader.text();
  manifest.contact_unix_ms = reader.signed_number();
  manifest.base_bytes = reader.number<std::uint64_t>();
  manifest.segment_bytes = reader.number<std::uint64_t>();
  manifest.segment_count = reader.number<std::uint64_t>();
  if (!reader.complete()) return damaged("manifest that is none");
  return manifest;
}

std::string encode_blob(std::string_view bytes) {
  std::string blob;
  append_number(blob, kBlobMagic);
  append_number(blob, kStateFormat);
  blob += bytes;
  return with_checksum(std::move(blob), kBlobMagic);
}

std::optional<std::string_view> decode_blob(std::string_view bytes) {
  const std::optional<std::string_view> fields = checked(bytes, kBlobMagic);
  if (!fields || fields->size() < 12) return std::nullopt;
  ByteReader reader(fields->substr(0, 12));
  if (reader.number<std::uint64_t>() != kBlobMagic) return std::nullopt;
  if (reader.number<std::uint32_t>() != kStateFormat) return std::nullopt;
  return fields->substr(12);
}

}  // namespace flagstone::cache
