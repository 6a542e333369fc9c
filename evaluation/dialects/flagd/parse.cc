#include "evaluation/dialects/flagd/parse.h"

#include <string>

#include "evaluation/json_cursor.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::flagd {
namespace {

std::unexpected<RecordError> refused(std::string message) {
  return std::unexpected(RecordError{RecordError::Kind::kRefused, std::move(message)});
}

std::expected<Value, RecordError> read(std::string_view raw, JsonReader& reader, Arena& arena) {
  if (raw.size() > kMaxRecordBytes) {
    return std::unexpected(
        RecordError{RecordError::Kind::kTooLarge,
                    "the record has " + std::to_string(raw.size()) + " bytes, more than 1 MiB"});
  }
  auto value = reader.read(raw, arena);
  if (value) return *value;
  JsonError& error = value.error();
  const auto kind = error.kind == JsonError::Kind::kTooDeep      ? RecordError::Kind::kTooLarge
                    : error.kind == JsonError::Kind::kUnreadable ? RecordError::Kind::kRefused
                                                                 : RecordError::Kind::kMalformed;
  return std::unexpected(RecordError{kind, std::move(error.message)});
}

// Missing and null count as absent; anything but a string is refused.
std::expected<std::string_view, RecordError> string_member(const Value& flag,
                                                           std::string_view name) {
  const Value* value = flag.member(name);
  if (value == nullptr || value->is_null()) return std::string_view();
  if (!value->is_string()) return refused(std::string(name) + " is not a string");
  return value->as_string();
}

std::expected<bool, RecordError> has_object(const Value& flag, std::string_view name) {
  const Value* value = flag.member(name);
  if (value == nullptr || value->is_null()) return false;
  if (!value->is_object()) return refused(std::string(name) + " is not an object");
  return true;
}

std::vector<WrittenMember> members_of(std::string_view object) {
  std::vector<WrittenMember> members;
  JsonCursor cursor(object);
  WrittenMember member;
  while (cursor.next(member.escaped_name, member.value)) members.push_back(member);
  return members;
}

bool is_named(std::string_view escaped, std::string_view name) {
  if (escaped.find('\\') == std::string_view::npos) return escaped == name;
  std::string plain;
  append_unescaped(plain, escaped);
  return plain == name;
}

// As written, the last of duplicates. REQUIRES: it is there.
std::string_view written_member(std::string_view object, std::string_view name) {
  std::string_view found;
  JsonCursor cursor(object);
  WrittenMember member;
  while (cursor.next(member.escaped_name, member.value)) {
    if (is_named(member.escaped_name, name)) found = member.value;
  }
  return found;
}

}  // namespace

std::expected<FlagDefinition, RecordError> parse_flag(std::string_view raw, JsonReader& reader,
                                                      Arena& arena) {
  const auto flag = read(raw, reader, arena);
  if (!flag) return std::unexpected(flag.error());
  FlagDefinition definition;
  // flagd takes null for a flag without anything.
  if (flag->is_null()) return definition;
  if (!flag->is_object()) return refused("the flag is not an object");

  // flagd reads these as strings too, though it does not use what they say.
  for (const std::string_view name : {"key", "source"}) {
    if (const auto text = string_member(*flag, name); !text) return std::unexpected(text.error());
  }
  const auto state = string_member(*flag, "state");
  if (!state) return std::unexpected(state.error());
  definition.disabled = *state == "DISABLED";

  const auto has_variants = has_object(*flag, "variants");
  if (!has_variants) return std::unexpected(has_variants.error());
  if (*has_variants) definition.variants = members_of(written_member(raw, "variants"));

  const auto default_variant = string_member(*flag, "defaultVariant");
  if (!default_variant) return std::unexpected(default_variant.error());
  if (!default_variant->empty()) {
    const bool known = *has_variants && flag->member("variants")->member(*default_variant);
    if (!known) {
      return refused("defaultVariant \"" + std::string(*default_variant) + "\" names no variant");
    }
    definition.default_variant = *default_variant;
  }

  const auto has_metadata = has_object(*flag, "metadata");
  if (!has_metadata) return std::unexpected(has_metadata.error());
  if (*has_metadata) definition.metadata = members_of(written_member(raw, "metadata"));

  const Value* targeting = flag->member("targeting");
  const bool empty = targeting == nullptr || targeting->is_null() ||
                     (targeting->is_object() && targeting->members().empty());
  if (!empty) definition.targeting = *targeting;
  return definition;
}

std::expected<Value, RecordError> parse_evaluator(std::string_view raw, JsonReader& reader,
                                                  Arena& arena) {
  const auto value = read(raw, reader, arena);
  if (!value) return std::unexpected(value.error());
  if (!value->is_object()) return refused("the evaluator is not an object");
  if (value->members().empty()) return refused("the evaluator is empty");
  return *value;
}

std::expected<std::vector<WrittenMember>, RecordError> parse_metadata(std::string_view raw,
                                                                      JsonReader& reader,
                                                                      Arena& arena) {
  const auto value = read(raw, reader, arena);
  if (!value) return std::unexpected(value.error());
  if (value->is_null()) return std::vector<WrittenMember>();
  if (!value->is_object()) return refused("metadata is not an object");
  return members_of(raw);
}

}  // namespace flagstone::evaluation::flagd
