#include "upstream/launchdarkly_event_files.h"

#include <array>

#include "cache/byte_codec.h"
#include "cache/hash_bytes.h"
#include "evaluation/content_hash.h"

namespace flagstone::upstream::launchdarkly {
namespace {

using cache::append_number;
using cache::append_text;
using cache::hash_bytes;

constexpr std::uint32_t kLogMagic = 0x4c455346;    // "FSEL"
constexpr std::uint32_t kBatchMagic = 0x42455346;  // "FSEB"
constexpr std::uint32_t kFormat = 2;
constexpr std::size_t kLogHeaderBytes = 4 + 4 + kLogIdBytes + 8;
constexpr std::size_t kRecordFrameBytes = 4 + 8;

std::uint64_t seed_of(const LogHeader& header, std::uint64_t offset) {
  return hash_bytes(header.id) ^ cache::mix_bits(offset + 1);
}

}  // namespace

std::string encode_log_header(const LogHeader& header) {
  std::string out;
  append_number(out, kLogMagic);
  append_number(out, kFormat);
  out += header.id;
  append_number(out, hash_bytes(out));
  return out;
}

std::string encode_log_record(const LogRecord& record, const LogHeader& header,
                              std::uint64_t offset) {
  std::string body;
  body.reserve(record.text.size() + 128);
  append_number(body, static_cast<std::uint8_t>(record.type));
  append_number(body, record.group.source);
  append_text(body, record.group.schema);
  append_text(body, record.group.tags);
  append_number(body, static_cast<std::uint8_t>(record.group.is_unsummarized));
  append_text(body, record.payload_id);
  append_text(body, record.text);
  std::string out;
  out.reserve(body.size() + kRecordFrameBytes);
  append_number(out, static_cast<std::uint32_t>(body.size()));
  append_number(out, hash_bytes(body, seed_of(header, offset)));
  out += body;
  return out;
}

LogReader::LogReader(std::string_view bytes) : bytes_(bytes) {
  if (bytes.size() < kLogHeaderBytes) return;
  const std::string_view head = bytes.substr(0, kLogHeaderBytes - 8);
  cache::ByteReader checksum(bytes.substr(head.size(), 8));
  cache::ByteReader fields(head);
  const bool ours =
      fields.number<std::uint32_t>() == kLogMagic && fields.number<std::uint32_t>() == kFormat;
  if (!ours || checksum.number<std::uint64_t>() != hash_bytes(head)) return;
  header_ = LogHeader{.id = std::string(head.substr(8))};
  at_ = kLogHeaderBytes;
}

std::optional<LogRecord> LogReader::next() {
  const std::string_view rest = bytes_.substr(static_cast<std::size_t>(at_));
  if (!header_ || rest.size() < kRecordFrameBytes) return std::nullopt;
  cache::ByteReader frame(rest.substr(0, kRecordFrameBytes));
  const auto size = frame.number<std::uint32_t>();
  const auto checksum = frame.number<std::uint64_t>();
  const std::string_view body = rest.substr(kRecordFrameBytes);
  if (body.size() < size || hash_bytes(body.substr(0, size), seed_of(*header_, at_)) != checksum) {
    return std::nullopt;
  }
  cache::ByteReader fields(body.substr(0, size));
  LogRecord record;
  record.type = static_cast<LogRecord::Type>(fields.number<std::uint8_t>());
  record.group.source = fields.number<std::uint64_t>();
  record.group.schema = fields.text();
  record.group.tags = fields.text();
  record.group.is_unsummarized = fields.number<std::uint8_t>() != 0;
  record.payload_id = fields.text();
  record.text = fields.text();
  if (!fields.complete()) return std::nullopt;
  at_ += kRecordFrameBytes + size;
  return record;
}

std::string encode_batch(const BatchHead& head, std::string_view payload) {
  std::string fields;
  append_number(fields, kBatchMagic);
  append_number(fields, kFormat);
  append_number(fields, static_cast<std::uint8_t>(head.kind));
  append_number(fields, head.group.source);
  append_text(fields, head.group.schema);
  append_text(fields, head.group.tags);
  append_number(fields, static_cast<std::uint8_t>(head.group.is_unsummarized));
  append_text(fields, head.payload_id);
  append_number(fields, head.events);
  append_number(fields, head.summaries);
  append_number(fields, head.siblings);
  append_number(fields, static_cast<std::uint64_t>(payload.size()));
  append_number(fields, hash_bytes(payload));
  std::string out;
  out.reserve(fields.size() + payload.size() + 12);
  append_number(out, static_cast<std::uint32_t>(fields.size()));
  out += fields;
  append_number(out, hash_bytes(out));
  out += payload;
  return out;
}

std::expected<BatchFile, std::string> decode_batch(std::string_view bytes) {
  cache::ByteReader size_reader(bytes.substr(0, 4));
  const std::size_t size = size_reader.number<std::uint32_t>();
  if (size_reader.bad() || bytes.size() < 4 + size + 8) return std::unexpected("is cut");
  cache::ByteReader checksum(bytes.substr(4 + size, 8));
  if (checksum.number<std::uint64_t>() != hash_bytes(bytes.substr(0, 4 + size))) {
    return std::unexpected("its head fails its checksum");
  }
  cache::ByteReader fields(bytes.substr(4, size));
  const bool ours =
      fields.number<std::uint32_t>() == kBatchMagic && fields.number<std::uint32_t>() == kFormat;
  BatchFile file;
  file.head.kind = static_cast<PayloadKind>(fields.number<std::uint8_t>());
  file.head.group.source = fields.number<std::uint64_t>();
  file.head.group.schema = fields.text();
  file.head.group.tags = fields.text();
  file.head.group.is_unsummarized = fields.number<std::uint8_t>() != 0;
  file.head.payload_id = fields.text();
  file.head.events = fields.number<std::uint64_t>();
  file.head.summaries = fields.number<std::uint64_t>();
  file.head.siblings = fields.number<std::uint32_t>();
  const auto payload_bytes = fields.number<std::uint64_t>();
  const auto payload_hash = fields.number<std::uint64_t>();
  if (!ours || !fields.complete()) return std::unexpected("is of another form");
  file.payload = bytes.substr(4 + size + 8);
  if (file.payload.size() != payload_bytes || hash_bytes(file.payload) != payload_hash) {
    return std::unexpected("its payload fails its checksum");
  }
  return file;
}

std::string payload_id_of(std::string_view log_id, std::string_view name) {
  std::string text(log_id);
  text += '/';
  text += name;
  const std::array<char, 32> digits = evaluation::hex(evaluation::digest128(text));
  std::string id;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) id += '-';
    // Version 4 and its variant, as everybody expects of a UUID.
    id += i == 12 ? '4' : (i == 16 ? 'a' : digits[i]);
  }
  return id;
}

}  // namespace flagstone::upstream::launchdarkly
