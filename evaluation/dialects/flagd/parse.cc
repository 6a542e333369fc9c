#include "evaluation/dialects/flagd/parse.h"

#include <functional>
#include <string>

#include "evaluation/json_bytes.h"
#include "evaluation/json_cursor.h"
#include "evaluation/read_record.h"

namespace flagstone::evaluation::flagd {
namespace {

std::unexpected<RecordError> refused(std::string message) {
  return std::unexpected(RecordError{RecordError::Kind::kRefused, std::move(message)});
}

// The members of a flag that say something here, the last of duplicates. null counts as absent.
struct FlagMembers {
  const Value* key = nullptr;
  const Value* source = nullptr;
  const Value* state = nullptr;
  const Value* variants = nullptr;
  const Value* default_variant = nullptr;
  const Value* metadata = nullptr;
  const Value* targeting = nullptr;
};

FlagMembers members_of_flag(const Value& flag) {
  FlagMembers found;
  const auto place_of = [&found](std::string_view name) -> const Value** {
    if (name == "key") return &found.key;
    if (name == "source") return &found.source;
    if (name == "state") return &found.state;
    if (name == "variants") return &found.variants;
    if (name == "defaultVariant") return &found.default_variant;
    if (name == "metadata") return &found.metadata;
    if (name == "targeting") return &found.targeting;
    return nullptr;
  };
  for (const Member& member : flag.members()) {
    if (const Value** place = place_of(member.name); place != nullptr) {
      *place = member.value.is_null() ? nullptr : &member.value;
    }
  }
  return found;
}

// The members of `object`, which was read from what `spelled` begins with.
std::span<const WrittenMember> members_of(const Value& object, std::string_view spelled,
                                          Arena& arena) {
  const auto members = arena.make_array<WrittenMember>(object.members().size());
  JsonCursor cursor(spelled);
  for (std::size_t i = 0; i < members.size(); ++i) {
    WrittenMember& member = members[i];
    std::string_view between_quotes;
    cursor.next(between_quotes, member.value);
    member.name = object.members()[i].name;
    member.quoted_name = {between_quotes.data() - 1, between_quotes.size() + 2};
  }
  return members;
}

// From where the value of a member is spelled, when the member's name is a view into the record, as
// it is in all ordinary ones; else empty.
std::string_view spelled_behind(std::string_view name, std::string_view raw) {
  const std::less<const char*> before;
  if (before(name.data(), raw.data()) || !before(name.data(), raw.data() + raw.size())) return {};
  auto at = static_cast<std::size_t>(name.data() - raw.data()) + name.size() + 1;
  while (is_json_space(raw[at]) || raw[at] == ':') ++at;
  return raw.substr(at);
}

// Where the value of the flag's member of that number is spelled, walking the record.
std::string_view spelled_by_walking(std::size_t number, std::string_view raw) {
  JsonCursor cursor(raw);
  std::string_view name;
  std::string_view spelled;
  for (std::size_t i = 0; i <= number; ++i) cursor.next(name, spelled);
  return spelled;
}

// Gives variants and metadata their spelling.
void find_written_members(std::string_view raw, const Value& flag, const FlagMembers& members,
                          FlagDefinition& definition, Arena& arena) {
  for (std::size_t i = 0; i < flag.members().size(); ++i) {
    const Member& member = flag.members()[i];
    const bool variants = &member.value == members.variants;
    if (!variants && &member.value != members.metadata) continue;
    std::string_view spelled = spelled_behind(member.name, raw);
    if (spelled.empty()) spelled = spelled_by_walking(i, raw);
    (variants ? definition.variants : definition.metadata) =
        members_of(member.value, spelled, arena);
  }
}

}  // namespace

std::expected<FlagDefinition, RecordError> parse_flag(std::string_view raw, JsonReader& reader,
                                                      Arena& arena) {
  const auto flag = read_record(raw, kRecordBytesMaxDefault, reader, arena);
  if (!flag) return std::unexpected(flag.error());
  FlagDefinition definition;
  // flagd takes null for a flag without anything.
  if (flag->is_null()) return definition;
  if (!flag->is_object()) return refused("the flag is not an object");
  const FlagMembers members = members_of_flag(*flag);

  // flagd reads key and source as strings too, though it does not use what they say.
  if (members.key && !members.key->is_string()) return refused("key is not a string");
  if (members.source && !members.source->is_string()) return refused("source is not a string");
  if (members.state && !members.state->is_string()) return refused("state is not a string");
  definition.disabled = members.state && members.state->as_string() == "DISABLED";

  if (members.variants && !members.variants->is_object()) {
    return refused("variants is not an object");
  }
  if (const Value* name = members.default_variant; name != nullptr) {
    if (!name->is_string()) return refused("defaultVariant is not a string");
    const std::string_view text = name->as_string();
    if (!text.empty()) {
      const bool known = members.variants && members.variants->member(text);
      if (!known) return refused("defaultVariant \"" + std::string(text) + "\" names no variant");
      definition.default_variant = text;
    }
  }
  if (members.metadata && !members.metadata->is_object()) {
    return refused("metadata is not an object");
  }
  find_written_members(raw, *flag, members, definition, arena);

  const bool no_rule = members.targeting == nullptr ||
                       (members.targeting->is_object() && members.targeting->members().empty());
  if (!no_rule) definition.targeting = *members.targeting;
  return definition;
}

std::expected<Value, RecordError> parse_evaluator(std::string_view raw, JsonReader& reader,
                                                  Arena& arena) {
  const auto value = read_record(raw, kRecordBytesMaxDefault, reader, arena);
  if (!value) return std::unexpected(value.error());
  if (!value->is_object()) return refused("the evaluator is not an object");
  if (value->members().empty()) return refused("the evaluator is empty");
  return *value;
}

std::expected<std::span<const WrittenMember>, RecordError> parse_metadata(std::string_view raw,
                                                                          JsonReader& reader,
                                                                          Arena& arena) {
  const auto value = read_record(raw, kRecordBytesMaxDefault, reader, arena);
  if (!value) return std::unexpected(value.error());
  if (value->is_null()) return std::span<const WrittenMember>();
  if (!value->is_object()) return refused("metadata is not an object");
  return members_of(*value, raw, arena);
}

}  // namespace flagstone::evaluation::flagd
