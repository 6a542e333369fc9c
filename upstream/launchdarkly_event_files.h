// The bytes of the spool of events: the log that posted bodies are appended to, and sealed batches.
//
// Pure functions on bytes, little-endian, under checksums that are seeded by the place. Reading
// trusts no length. The format:
//
//   N.log        = header record*            appended to, without sync; what is behind the last
//                                            whole record was never acknowledged
//   header       = magic format id checksum
//   record       = size checksum body        the checksum is seeded by the log and the offset
//   body         = type source schema tags payload_id text
//   N-ORD.batch  = size head checksum payload  one payload, gzip, as it goes out; written whole
//
// Batches of number N are what log N was made into. They count, and not the log, once all of them
// are there, which each of them says.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace flagstone::upstream::launchdarkly {

enum class PayloadKind : std::uint8_t { kEvents, kDiagnostic };

// What events have in common that go in one payload.
struct EventGroup {
  // Whose events they are: of what the source is made, so that it is found again when others came
  // before it or went.
  std::uint64_t source = 0;
  std::string schema;
  std::string tags;
  // Nobody added them up yet: who receives them does (PHP's SDK).
  bool is_unsummarized = false;
  auto operator<=>(const EventGroup&) const = default;
};

struct LogHeader {
  std::string id;  // kLogIdBytes of chance; the payload ids of what it is made into come from it.
};
inline constexpr std::size_t kLogIdBytes = 16;

struct LogRecord {
  enum class Type : std::uint8_t {
    kEvents,
    kDiagnostic,
    kKnownPayload,  // An id that an earlier log has the body of.
  };
  Type type = Type::kEvents;
  EventGroup group;
  std::string payload_id;
  std::string_view text;
};

std::string encode_log_header(const LogHeader& header);
std::string encode_log_record(const LogRecord& record, const LogHeader& header,
                              std::uint64_t offset);

// Walks over a log's bytes.
class LogReader {
 public:
  explicit LogReader(std::string_view bytes);
  // Nullopt: the header is not whole, so that nothing was acknowledged.
  const std::optional<LogHeader>& header() const { return header_; }
  // Nullopt at the end, or at the first record that is not whole.
  std::optional<LogRecord> next();

 private:
  std::string_view bytes_;
  std::uint64_t at_ = 0;
  std::optional<LogHeader> header_;
};

struct BatchHead {
  PayloadKind kind = PayloadKind::kEvents;
  EventGroup group;
  std::string payload_id;
  std::uint64_t events = 0;
  std::uint64_t summaries = 0;  // Of those.
  // Batches that the log was made into, this one included.
  std::uint32_t siblings = 0;
};

std::string encode_batch(const BatchHead& head, std::string_view payload);
struct BatchFile {
  BatchHead head;
  std::string_view payload;
};
// The error says what does not add up.
std::expected<BatchFile, std::string> decode_batch(std::string_view bytes);

// A UUID in text, made of what names the payload, so that the same log leads to the same ids.
std::string payload_id_of(std::string_view log_id, std::string_view name);

}  // namespace flagstone::upstream::launchdarkly
