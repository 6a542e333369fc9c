#include "sidecar/answer_metadata.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "evaluation/json_text.h"

namespace flagstone::sidecar {
namespace {

constexpr std::int64_t kMsPerSecond = 1000;

void append_number(std::string& body, std::int64_t number) {
  std::array<char, 24> digits;
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  body.append(digits.data(), end.ptr);
}

// Whether the members (`"a":1,"b":2`) have one of that name. Names of ours need no escapes, and a
// false hit inside a string value only leaves out a reflection.
bool has_member(std::string_view members, std::string_view name) {
  for (std::size_t at = members.find(name); at != std::string_view::npos;
       at = members.find(name, at + 1)) {
    std::size_t end = at + name.size();
    if (at > 0 && members[at - 1] == '"' && members.substr(end).starts_with("\":")) return true;
  }
  return false;
}

}  // namespace

AddedMetadata AddedMetadata::of(const cache::EnvironmentState& environment,
                                const Selector& selector, std::int64_t now_unix_ms) {
  AddedMetadata added{.selector = selector, .stale = environment.stale};
  if (environment.stale && environment.last_contact_unix_ms != 0) {
    // The wall clock may have been set back since.
    added.age_seconds =
        std::max<std::int64_t>(0, now_unix_ms - environment.last_contact_unix_ms) / kMsPerSecond;
  }
  return added;
}

void append_added_members(std::string& body, const AddedMetadata& added,
                          std::string_view flag_members) {
  bool comma = !flag_members.empty();
  std::string_view reflected = added.selector.member_name();
  if (!reflected.empty() && !has_member(flag_members, reflected)) {
    if (comma) body += ',';
    comma = true;
    body += '"';
    body += reflected;
    body += "\":";
    evaluation::append_json_string(body, added.selector.value);
  }
  if (!added.stale) return;
  if (comma) body += ',';
  body += "\"flagstone.stale\":true";
  if (added.age_seconds) {
    body += ",\"flagstone.age_seconds\":";
    append_number(body, *added.age_seconds);
  }
}

}  // namespace flagstone::sidecar
