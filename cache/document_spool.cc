#include "cache/document_spool.h"

#include "cache/byte_codec.h"

namespace flagstone::cache {
namespace {

// Kind, marks, version, and the sizes of set id, key and text.
constexpr std::size_t kHeadBytes = 1 + 1 + 8 + 4 + 4 + 4;
constexpr std::uint8_t kHasOwnSet = 1;
constexpr std::uint8_t kIsTombstone = 2;

}  // namespace

void append_spooled(std::string& out, const SpooledRecord& record) {
  append_number(out, static_cast<std::uint8_t>(record.kind));
  append_number(out, static_cast<std::uint8_t>((record.has_own_set ? kHasOwnSet : 0) |
                                               (record.tombstone ? kIsTombstone : 0)));
  append_signed(out, record.version);
  append_number(out, static_cast<std::uint32_t>(record.set_id.size()));
  append_number(out, static_cast<std::uint32_t>(record.key.size()));
  append_number(out, static_cast<std::uint32_t>(record.raw.size()));
  out.append(record.set_id).append(record.key).append(record.raw);
}

std::optional<SpooledRecord> read_spooled(std::string_view& bytes, std::size_t& needed) {
  needed = kHeadBytes;
  if (bytes.size() < kHeadBytes) return std::nullopt;
  ByteReader head(bytes.substr(0, kHeadBytes));
  SpooledRecord record;
  record.kind = evaluation::RecordKind{head.number<std::uint8_t>()};
  const auto marks = head.number<std::uint8_t>();
  record.has_own_set = (marks & kHasOwnSet) != 0;
  record.tombstone = (marks & kIsTombstone) != 0;
  record.version = head.signed_number();
  const std::size_t set_size = head.number<std::uint32_t>();
  const std::size_t key_size = head.number<std::uint32_t>();
  const std::size_t raw_size = head.number<std::uint32_t>();
  needed += set_size + key_size + raw_size;
  if (bytes.size() < needed) return std::nullopt;
  record.set_id = bytes.substr(kHeadBytes, set_size);
  record.key = bytes.substr(kHeadBytes + set_size, key_size);
  record.raw = bytes.substr(kHeadBytes + set_size + key_size, raw_size);
  bytes.remove_prefix(needed);
  return record;
}

}  // namespace flagstone::cache
