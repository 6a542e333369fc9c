#include "evaluation/dialects/launchdarkly/typed_members.h"

#include <algorithm>

#include "evaluation/dialects/launchdarkly/go_integer.h"

namespace flagstone::evaluation::launchdarkly {
void TypedMembers::fail(const Member& member, std::string_view wanted) {
  if (!problem_.empty()) return;
  problem_.assign(member.name).append(" is not ").append(wanted);
}

bool TypedMembers::boolean(const Member& member) {
  if (member.value.is_bool()) return member.value.as_bool();
  fail(member, "a boolean");
  return false;
}

std::string_view TypedMembers::text(const Member& member) {
  if (member.value.is_string()) return member.value.as_string();
  fail(member, "a string");
  return {};
}

std::string_view TypedMembers::text_or_null(const Member& member) {
  return member.value.is_null() ? std::string_view() : text(member);
}

std::int64_t TypedMembers::integer(const Member& member) {
  if (member.value.is_number()) return go_integer(member.value.as_double());
  fail(member, "a number");
  return 0;
}

std::optional<std::int64_t> TypedMembers::integer_or_null(const Member& member) {
  if (member.value.is_null()) return std::nullopt;
  return integer(member);
}

std::span<const Member> TypedMembers::object(const Member& member) {
  if (member.value.is_object()) return member.value.members();
  fail(member, "an object");
  return {};
}

std::span<const Member> TypedMembers::object_or_null(const Member& member) {
  return member.value.is_null() ? std::span<const Member>() : object(member);
}

std::span<const Value> TypedMembers::list(const Member& member) {
  if (member.value.is_array()) return member.value.items();
  fail(member, "a list");
  return {};
}

std::span<const Value> TypedMembers::list_or_null(const Member& member) {
  return member.value.is_null() ? std::span<const Value>() : list(member);
}

std::span<const Value> TypedMembers::texts_or_null(const Member& member) {
  const std::span<const Value> items = list_or_null(member);
  if (std::ranges::all_of(items, &Value::is_string)) return items;
  fail(member, "a list of strings");
  return {};
}

}  // namespace flagstone::evaluation::launchdarkly
