#include "cache/document_spool.h"

#include "cache/byte_codec.h"

namespace flagstone::cache {
namespace {

// Kind, has_own_set, and the sizes of set id, key and text.
constexpr std::size_t kHeadBytes = 1 + 1 + 4 + 4 + 4;

}  // namespace

void append_spooled(std::string& out, const SpooledRecord& record) {
  append_number(out, static_cast<std::uint8_t>(record.kind));
  append_number(out, static_cast<std::uint8_t>(record.has_own_set ? 1 : 0));
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
  record.has_own_set = head.number<std::uint8_t>() != 0;
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
