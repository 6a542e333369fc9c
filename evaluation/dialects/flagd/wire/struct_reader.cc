#include "evaluation/dialects/flagd/wire/struct_reader.h"

#include <cmath>
#include <cstring>

#include "evaluation/dialect.h"
#include "evaluation/dialects/flagd/wire/protobuf_reader.h"
#include "evaluation/utf8.h"

namespace flagstone::evaluation::flagd {
namespace {

using WireType = ProtobufReader::WireType;

// Fields of the messages in struct.proto.
constexpr std::uint32_t kStructFields = 1;
constexpr std::uint32_t kEntryKey = 1;
constexpr std::uint32_t kEntryValue = 2;
constexpr std::uint32_t kListValues = 1;
enum ValueField : std::uint32_t {
  kNull = 1,
  kNumber = 2,
  kString = 3,
  kBool = 4,
  kStruct = 5,
  kList = 6,
};

constexpr std::string_view kMalformed = "the message is no valid protobuf";
constexpr std::string_view kNotUtf8 = "a string is not UTF-8";
constexpr std::string_view kNotFinite = "a number is not finite";
constexpr std::string_view kTooDeep = "the context is nested too deep";
constexpr std::string_view kTooManyPieces = "a message field came in too many pieces";

bool is_ascii(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) all |= static_cast<unsigned char>(c);
  return all < 0x80;
}

bool is_valid_text(std::string_view text) { return is_ascii(text) || is_utf8(text); }

// How many fields of that number and of type bytes; nullopt when the message is malformed.
constexpr std::string_view kTooMany = "the context has too many values";

std::expected<std::size_t, std::string_view> count(std::string_view message, std::uint32_t field) {
  std::size_t found = 0;
  ProtobufReader reader(message);
  while (reader.next()) found += reader.is(field, WireType::kBytes);
  if (reader.failed()) return std::unexpected(kMalformed);
  if (found > kContextValuesMax) return std::unexpected(kTooMany);
  return found;
}

// Whether the field sets the Value's kind.
bool is_kind(const ProtobufReader& reader) {
  switch (reader.field()) {
    case kNull:
    case kBool:
      return reader.type() == WireType::kVarint;
    case kNumber:
      return reader.type() == WireType::kFixed64;
    case kString:
    case kStruct:
    case kList:
      return reader.type() == WireType::kBytes;
    default:
      return false;
  }
}

}  // namespace

// Occurrences of one message field that count as one message.
struct StructReader::Pieces {
  std::uint32_t field = 0;
  std::size_t count = 0;
  std::size_t bytes = 0;
  std::string_view last;
  // Where the first of them begins to count: behind the last field of another kind.
  std::size_t skipped = 0;

  void add(std::string_view piece) {
    ++count;
    bytes += piece.size();
    last = piece;
  }
};

Value number_value(double number) {
  // Two to the 63rd: what 64 bits hold exactly when it is whole.
  constexpr double kIntegersEnd = 9223372036854775808.0;
  const bool whole =
      number >= -kIntegersEnd && number < kIntegersEnd && number == std::trunc(number);
  // JSON's "-0.0" stays a double too.
  if (whole && !(number == 0 && std::signbit(number))) {
    return Value::integer(static_cast<std::int64_t>(number));
  }
  return Value::number(number);
}

std::expected<Value, std::string_view> StructReader::read(std::string_view message) {
  merged_bytes_ = 0;
  values_ = 0;
  return read_struct(message, 1);
}

std::expected<std::string_view, std::string_view> StructReader::merged_field(
    std::string_view message, std::uint32_t field) {
  Pieces pieces{.field = field, .last = {}};
  ProtobufReader reader(message);
  while (reader.next()) {
    if (reader.is(field, WireType::kBytes)) pieces.add(reader.bytes());
  }
  if (reader.failed()) return std::unexpected(kMalformed);
  return merge(pieces, message);
}

std::expected<std::string_view, std::string_view> StructReader::merge(const Pieces& pieces,
                                                                      std::string_view message) {
  // An encoded message is the concatenation of its pieces.
  if (pieces.count <= 1) return pieces.last;
  merged_bytes_ += pieces.bytes;
  if (merged_bytes_ > kMergedBytesMax) return std::unexpected(kTooManyPieces);
  const auto whole = arena_.make_array<char>(pieces.bytes);
  char* at = whole.data();
  std::size_t index = 0;
  ProtobufReader reader(message);
  while (reader.next()) {
    if (!reader.is(pieces.field, WireType::kBytes) || index++ < pieces.skipped) continue;
    if (!reader.bytes().empty()) std::memcpy(at, reader.bytes().data(), reader.bytes().size());
    at += reader.bytes().size();
  }
  return std::string_view(whole.data(), whole.size());
}

StructReader::Result StructReader::read_struct(std::string_view message, std::size_t depth) {
  if (depth > kJsonDepthMax) return std::unexpected(kTooDeep);
  const auto size = count(message, kStructFields);
  if (!size) return std::unexpected(size.error());
  const auto members = arena_.make_array<Member>(*size);
  std::size_t i = 0;
  ProtobufReader reader(message);
  while (reader.next()) {
    if (!reader.is(kStructFields, WireType::kBytes)) continue;
    auto member = read_entry(reader.bytes(), depth);
    if (!member) return std::unexpected(member.error());
    members[i++] = *member;
  }
  return Value::object(members);
}

std::expected<Member, std::string_view> StructReader::read_entry(std::string_view message,
                                                                 std::size_t depth) {
  Member member;
  Pieces value{.field = kEntryValue, .last = {}};
  ProtobufReader reader(message);
  while (reader.next()) {
    if (reader.is(kEntryKey, WireType::kBytes)) member.name = reader.bytes();
    if (reader.is(kEntryValue, WireType::kBytes)) value.add(reader.bytes());
  }
  if (reader.failed()) return std::unexpected(kMalformed);
  if (!is_valid_text(member.name)) return std::unexpected(kNotUtf8);
  const auto whole = merge(value, message);
  if (!whole) return std::unexpected(whole.error());
  const auto read = read_value(*whole, depth);
  if (!read) return std::unexpected(read.error());
  member.value = *read;
  return member;
}

StructReader::Result StructReader::read_list(std::string_view message, std::size_t depth) {
  if (depth > kJsonDepthMax) return std::unexpected(kTooDeep);
  const auto size = count(message, kListValues);
  if (!size) return std::unexpected(size.error());
  const auto items = arena_.make_array<Value>(*size);
  std::size_t i = 0;
  ProtobufReader reader(message);
  while (reader.next()) {
    if (!reader.is(kListValues, WireType::kBytes)) continue;
    const auto item = read_value(reader.bytes(), depth);
    if (!item) return item;
    items[i++] = *item;
  }
  return Value::array(items);
}

// The last kind set counts; a struct or list set twice in a row is one.
StructReader::Result StructReader::read_value(std::string_view message, std::size_t depth) {
  if (++values_ > kContextValuesMax) return std::unexpected(kTooMany);
  Value value;
  std::uint32_t kind = kNull;
  ProtobufReader reader(message);
  while (reader.next()) {
    if (!is_kind(reader)) continue;
    kind = reader.field();
    if (kind == kNull) value = Value::null();
    if (kind == kBool) value = Value::boolean(reader.number() != 0);
    if (kind == kNumber) {
      if (!std::isfinite(reader.as_double())) return std::unexpected(kNotFinite);
      value = number_value(reader.as_double());
    }
    if (kind == kString) {
      if (!is_valid_text(reader.bytes())) return std::unexpected(kNotUtf8);
      value = Value::string(reader.bytes());
    }
  }
  if (reader.failed()) return std::unexpected(kMalformed);
  if (kind == kStruct || kind == kList) return read_container(message, kind, depth);
  return value;
}

StructReader::Result StructReader::read_container(std::string_view message, std::uint32_t field,
                                                  std::size_t depth) {
  Pieces pieces{.field = field, .last = {}};
  std::size_t seen = 0;
  ProtobufReader reader(message);
  while (reader.next()) {
    if (!is_kind(reader)) continue;
    if (reader.field() == field) {
      ++seen;
      pieces.add(reader.bytes());
    } else {
      pieces = {.field = field, .last = {}, .skipped = seen};
    }
  }
  const auto whole = merge(pieces, message);
  if (!whole) return std::unexpected(whole.error());
  return field == kStruct ? read_struct(*whole, depth + 1) : read_list(*whole, depth + 1);
}

}  // namespace flagstone::evaluation::flagd
