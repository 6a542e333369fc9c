#include "evaluation/read_record.h"

#include <string>
#include <utility>

namespace flagstone::evaluation {
namespace {

RecordError::Kind kind_of(JsonError::Kind kind) {
  switch (kind) {
    case JsonError::Kind::kMalformed:
      return RecordError::Kind::kMalformed;
    case JsonError::Kind::kTooDeep:
      return RecordError::Kind::kTooLarge;
    case JsonError::Kind::kUnreadable:
      return RecordError::Kind::kRefused;
  }
  return RecordError::Kind::kMalformed;
}

}  // namespace

std::expected<Value, RecordError> read_record(std::string_view raw, std::size_t bytes_max,
                                              JsonReader& reader, Arena& arena) {
  if (raw.size() > bytes_max) {
    return std::unexpected(RecordError{RecordError::Kind::kTooLarge,
                                       "the record has " + std::to_string(raw.size()) +
                                           " bytes, more than " + std::to_string(bytes_max)});
  }
  auto value = reader.read(raw, arena);
  if (value) return *value;
  return std::unexpected(
      RecordError{kind_of(value.error().kind), std::move(value.error().message)});
}

}  // namespace flagstone::evaluation
