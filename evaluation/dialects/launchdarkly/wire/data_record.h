// One flag or segment as it travels: what it is called and what of it has to be known before it is
// compiled. Pure functions.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "evaluation/record.h"

namespace flagstone::evaluation::launchdarkly {

// By the name of its section in a document ("flags", "segments"); nothing for other kinds.
std::optional<RecordKind> kind_of_section(std::string_view name);
// By FDv2's name of an object's kind ("flag", "segment").
std::optional<RecordKind> kind_of_object(std::string_view name);

// `/flags/KEY`: whatever stands behind the second slash is the key, for this is no JSON pointer.
// Nothing for other kinds.
std::optional<RecordId> id_of_path(std::string_view path);

// A record of that JSON text. Its version is the text's own `version`, else `version`; one that
// says `"deleted": true` is a tombstone. REQUIRES: valid JSON.
Record make_record(RecordId id, std::string_view raw, std::int64_t version = 0);

// An object's members in their order, of names that are there twice both: unescaped names, and the
// values as they stand in the text. The error says why the text is no JSON object.
class ObjectMembers {
 public:
  static std::expected<ObjectMembers, std::string> read(std::string_view text);

  // The last one's text, nothing when there is none.
  std::optional<std::string_view> find(std::string_view name) const;
  // Of a string; nothing when it is another value or not there.
  std::optional<std::string> string(std::string_view name) const;
  // Of a whole number.
  std::optional<std::int64_t> number(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string_view>> members_;
};

}  // namespace flagstone::evaluation::launchdarkly
