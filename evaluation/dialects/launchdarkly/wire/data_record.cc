#include "evaluation/dialects/launchdarkly/wire/data_record.h"

#include <charconv>
#include <cstddef>
#include <limits>

#include "evaluation/dialects/launchdarkly/record_kinds.h"
#include "evaluation/json_cursor.h"
#include "evaluation/json_skip.h"
#include "evaluation/json_syntax.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

struct Facts {
  std::optional<std::int64_t> version;
  bool deleted = false;
};

// Reads as far as the number goes: what follows it in the text is not its business.
std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::size_t read = static_cast<std::size_t>(stop - text.data());
  if (error != std::errc{}) return std::nullopt;
  const bool ends = read == text.size() || std::string_view(" \t\r\n,}]").contains(text[read]);
  return ends ? std::optional(number) : std::nullopt;
}

class WatchedFacts final : public PassedMembers {
 public:
  explicit WatchedFacts(const char* end) : end_(end) {}

  bool take(const PassedMember& member) override {
    if (member.depth != 1) return true;
    // An escaped name is rare, and left to those who look closely.
    if (member.escaped_name.contains('\\')) return false;
    const std::string_view rest(member.value, end_);
    if (member.escaped_name == "version") facts.version = whole_number(rest);
    if (member.escaped_name == "deleted") facts.deleted = rest.starts_with("true");
    return true;
  }

  Facts facts;

 private:
  const char* end_;
};

std::string unescaped(std::string_view between_quotes) {
  std::string plain;
  append_unescaped(plain, between_quotes);
  return plain;
}

Facts facts_of(std::string_view raw) {
  if (!raw.starts_with('{')) return {};
  const char* const end = raw.data() + raw.size();
  WatchedFacts watched(end);
  if (pass_object(raw.data() + 1, end, watched)) return watched.facts;
  Facts facts;
  JsonCursor cursor(raw);
  std::string_view key;
  std::string_view value;
  while (cursor.next(key, value)) {
    const std::string name = unescaped(key);
    if (name == "version") facts.version = whole_number(value);
    if (name == "deleted") facts.deleted = value == "true";
  }
  return facts;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Empty: an object, and nothing behind it.
std::string object_problem(std::string_view text) {
  std::string_view object = text;
  while (!object.empty() && is_space(object.front())) object.remove_prefix(1);
  while (!object.empty() && is_space(object.back())) object.remove_suffix(1);
  if (!object.starts_with('{')) return "not a JSON object";
  const char* const end = object.data() + object.size();
  NobodyWatches nobody;
  const auto passed = pass_object(object.data() + 1, end, nobody);
  if (passed && passed->end == end) return {};
  // How deep a flag may be is its compiler's business.
  const auto checked = check_json(text, std::numeric_limits<std::size_t>::max());
  if (checked) return {};
  return std::string(checked.error().message) + " (byte " +
         std::to_string(checked.error().byte_offset) + ")";
}

}  // namespace

std::optional<RecordKind> kind_of_section(std::string_view name) {
  if (name == "flags") return kFlagKind;
  if (name == "segments") return kSegmentKind;
  return std::nullopt;
}

std::optional<RecordKind> kind_of_object(std::string_view name) {
  if (name == "flag") return kFlagKind;
  if (name == "segment") return kSegmentKind;
  return std::nullopt;
}

std::optional<RecordId> id_of_path(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto kind = kind_of_section(path.substr(0, slash));
  if (!kind) return std::nullopt;
  return RecordId{.kind = *kind, .set_id = {}, .key = std::string(path.substr(slash + 1))};
}

Record make_record(RecordId id, std::string_view raw, std::int64_t version) {
  const Facts facts = facts_of(raw);
  Record record;
  record.id = std::move(id);
  record.version = facts.version.value_or(version);
  record.tombstone = facts.deleted;
  if (!facts.deleted) record.raw = raw;
  return record;
}

std::expected<ObjectMembers, std::string> ObjectMembers::read(std::string_view text) {
  if (std::string problem = object_problem(text); !problem.empty()) {
    return std::unexpected(std::move(problem));
  }
  ObjectMembers members;
  JsonCursor cursor(text);
  std::string_view key;
  std::string_view value;
  while (cursor.next(key, value)) members.members_.emplace_back(unescaped(key), value);
  return members;
}

std::optional<std::string_view> ObjectMembers::find(std::string_view name) const {
  for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
    if (member->first == name) return member->second;
  }
  return std::nullopt;
}

std::optional<std::string> ObjectMembers::string(std::string_view name) const {
  const auto value = find(name);
  if (!value || !value->starts_with('"')) return std::nullopt;
  return unescaped(value->substr(1, value->size() - 2));
}

std::optional<std::int64_t> ObjectMembers::number(std::string_view name) const {
  const auto value = find(name);
  return value ? whole_number(*value) : std::nullopt;
}

}  // namespace flagstone::evaluation::launchdarkly
