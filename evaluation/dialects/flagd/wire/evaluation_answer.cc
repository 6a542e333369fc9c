#include "evaluation/dialects/flagd/wire/evaluation_answer.h"

#include <array>
#include <bit>
#include <charconv>

#include "evaluation/dialects/flagd/wire/protobuf_writer.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::flagd {
namespace {

// Fields of Resolve…Response.
constexpr std::uint32_t kValue = 1;
constexpr std::uint32_t kReason = 2;
constexpr std::uint32_t kVariant = 3;
constexpr std::uint32_t kMetadata = 4;
// Of ResolveAllResponse, of the entries of its map, and of AnyFlag.
constexpr std::uint32_t kAllFlags = 1;
constexpr std::uint32_t kAllMetadata = 2;
constexpr std::uint32_t kEntryKey = 1;
constexpr std::uint32_t kEntryValue = 2;
constexpr std::uint32_t kAnyReason = 1;
constexpr std::uint32_t kAnyVariant = 2;
constexpr std::uint32_t kAnyBool = 3;
constexpr std::uint32_t kAnyString = 4;
constexpr std::uint32_t kAnyDouble = 5;
constexpr std::uint32_t kAnyObject = 6;
constexpr std::uint32_t kAnyMetadata = 7;

void append_integer_text(std::string& out, std::int64_t integer) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), integer);
  out.push_back('"');
  out.append(digits.data(), end.ptr);
  out.push_back('"');
}

std::string_view zero_json(AskedType type) {
  switch (type) {
    case AskedType::kBoolean:
      return "false";
    case AskedType::kString:
      return "\"\"";
    case AskedType::kFloat:
      return "0";
    case AskedType::kInt:
      return "\"0\"";
    case AskedType::kObject:
      return "{}";
  }
  return {};
}

void append_json_value(std::string& out, const TypedValue& value) {
  switch (value.type) {
    case AskedType::kBoolean:
      out += value.boolean ? "true" : "false";
      return;
    case AskedType::kInt:
      return append_integer_text(out, value.integer);
    case AskedType::kString:
    case AskedType::kFloat:
    case AskedType::kObject:
      out += value.json;
      return;
  }
}

void append_json_variant(std::string& out, std::string_view variant_json) {
  out += ",\"variant\":";
  out += variant_json.empty() ? std::string_view("\"\"") : variant_json;
}

void append_json(std::string& out, bool optional_fields, const ResolveAnswer& answer) {
  out += '{';
  if (answer.value != nullptr || !optional_fields) {
    out += "\"value\":";
    if (answer.value != nullptr) {
      append_json_value(out, *answer.value);
    } else {
      out += zero_json(answer.type);
    }
    out += ',';
  }
  out += "\"reason\":\"";
  out += answer.reason;
  out += '"';
  if (!answer.variant.empty() || !optional_fields) append_json_variant(out, answer.variant_json);
  out += ",\"metadata\":";
  out += answer.metadata_json;
  out += '}';
}

std::string_view any_flag_member(AskedType type) {
  switch (type) {
    case AskedType::kBoolean:
      return ",\"boolValue\":";
    case AskedType::kString:
      return ",\"stringValue\":";
    case AskedType::kFloat:
    case AskedType::kInt:
      return ",\"doubleValue\":";
    case AskedType::kObject:
      return ",\"objectValue\":";
  }
  return {};
}

void append_any_flag_json(std::string& out, const ResolveAnswer& answer, bool metadata) {
  out += "{\"reason\":\"";
  out += answer.reason;
  out += '"';
  append_json_variant(out, answer.variant_json);
  if (answer.value != nullptr) {
    out += any_flag_member(answer.value->type);
    append_json_value(out, *answer.value);
  }
  if (metadata) {
    out += ",\"metadata\":";
    out += answer.metadata_json;
  }
  out += '}';
}

}  // namespace

void EvaluationAnswerWriter::append(std::string& out, AnswerCodec codec, ServiceVersion version,
                                    const ResolveAnswer& answer) {
  const bool optional_fields = version == ServiceVersion::kV2;
  if (codec == AnswerCodec::kJson) {
    append_json(out, optional_fields, answer);
  } else {
    append_proto(out, optional_fields, answer);
  }
}

void EvaluationAnswerWriter::append_proto(std::string& out, bool optional_fields,
                                          const ResolveAnswer& answer) {
  if (answer.value != nullptr) {
    append_proto_value(out, optional_fields, answer);
  } else if (answer.type == AskedType::kObject && !optional_fields) {
    append_bytes(out, kValue, {});  // flagd sends an empty Struct, not none.
  }
  append_bytes(out, kReason, answer.reason);
  if (!answer.variant.empty()) append_bytes(out, kVariant, answer.variant);
  structs_.append_field(out, kMetadata, answer.metadata_json);
}

// Zeros go out only where a field knows whether it is set.
void EvaluationAnswerWriter::append_proto_value(std::string& out, bool optional_fields,
                                                const ResolveAnswer& answer) {
  const TypedValue& value = *answer.value;
  switch (value.type) {
    case AskedType::kBoolean:
      if (value.boolean || optional_fields) append_number(out, kValue, value.boolean);
      return;
    case AskedType::kInt:
      if (value.integer != 0 || optional_fields) {
        append_number(out, kValue, std::bit_cast<std::uint64_t>(value.integer));
      }
      return;
    case AskedType::kFloat:
      if (std::bit_cast<std::uint64_t>(value.number) != 0 || optional_fields) {
        append_double(out, kValue, value.number);
      }
      return;
    case AskedType::kString: {
      const std::string_view plain = plain_string(value.json, plain_);
      if (!plain.empty() || optional_fields) append_bytes(out, kValue, plain);
      return;
    }
    case AskedType::kObject:
      return structs_.append_field(out, kValue, value.json);
  }
}

void EvaluationAnswerWriter::begin_all(std::string& out, AnswerCodec codec,
                                       ServiceVersion version) {
  codec_ = codec;
  bulk_metadata_ = version != ServiceVersion::kSchema;
  comma_ = false;
  if (codec_ == AnswerCodec::kJson) out += "{\"flags\":{";
}

void EvaluationAnswerWriter::append_flag(std::string& out, std::string_view key,
                                         const ResolveAnswer& answer) {
  if (codec_ == AnswerCodec::kJson) {
    if (comma_) out += ',';
    comma_ = true;
    append_json_string(out, key);
    out += ':';
    return append_any_flag_json(out, answer, bulk_metadata_);
  }
  any_flag_.clear();
  append_any_flag(any_flag_, answer);
  append_bytes_head(out, kAllFlags,
                    bytes_field_size(key.size()) + bytes_field_size(any_flag_.size()));
  append_bytes(out, kEntryKey, key);
  append_bytes(out, kEntryValue, any_flag_);
}

void EvaluationAnswerWriter::append_any_flag(std::string& out, const ResolveAnswer& answer) {
  append_bytes(out, kAnyReason, answer.reason);
  if (!answer.variant.empty()) append_bytes(out, kAnyVariant, answer.variant);
  if (answer.value != nullptr) {
    switch (answer.value->type) {
      case AskedType::kBoolean:
        append_number(out, kAnyBool, answer.value->boolean);
        break;
      case AskedType::kString:
        append_bytes(out, kAnyString, plain_string(answer.value->json, plain_));
        break;
      case AskedType::kFloat:
      case AskedType::kInt:
        append_double(out, kAnyDouble, answer.value->number);
        break;
      case AskedType::kObject:
        structs_.append_field(out, kAnyObject, answer.value->json);
        break;
    }
  }
  if (bulk_metadata_) structs_.append_field(out, kAnyMetadata, answer.metadata_json);
}

void EvaluationAnswerWriter::end_all(std::string& out, std::string_view metadata_json) {
  if (codec_ == AnswerCodec::kProto) {
    if (bulk_metadata_) structs_.append_field(out, kAllMetadata, metadata_json);
    return;
  }
  out += '}';
  if (bulk_metadata_) {
    out += ",\"metadata\":";
    out += metadata_json;
  }
  out += '}';
}

}  // namespace flagstone::evaluation::flagd
