#include "evaluation/dialects/launchdarkly/wire/sdk_context.h"

#include <algorithm>
#include <array>
#include <span>

namespace flagstone::evaluation::launchdarkly {
namespace {

using Members = std::span<const Member>;
// What is wrong; empty: nothing.
using Problem = std::string;

Problem wrong_type(std::string_view name, std::string_view wanted) {
  return std::string(name).append(" is not ").append(wanted);
}

bool is_text_or_null(const Value& value) { return value.is_string() || value.is_null(); }

// A list of strings, or null.
Problem read_private(const Member& member, std::span<const Value>& names) {
  names = {};
  if (member.value.is_null()) return {};
  if (!member.value.is_array() || !std::ranges::all_of(member.value.items(), &Value::is_string)) {
    return wrong_type(member.name, "a list of strings");
  }
  names = member.value.items();
  return {};
}

Problem read_meta(const Member& meta, IndividualContext& individual) {
  if (meta.value.is_null()) return {};
  if (!meta.value.is_object()) return wrong_type(meta.name, "an object");
  for (const Member& member : meta.value.members()) {
    if (member.name != "privateAttributes") continue;
    if (Problem problem = read_private(member, individual.private_attributes); !problem.empty()) {
      return problem;
    }
  }
  return {};
}

Problem read_key(const Member& member, IndividualContext& individual) {
  if (!member.value.is_string()) return wrong_type(member.name, "a string");
  individual.key = member.value.as_string();
  return {};
}

// `name`, which kinds of contexts and legacy users have alike.
Problem read_name(const Member& member, IndividualContext& individual) {
  if (!is_text_or_null(member.value)) return wrong_type(member.name, "a string");
  individual.name = member.value;
  return {};
}

Problem read_member(const Member& member, IndividualContext& individual) {
  if (member.name == "kind") {
    if (!member.value.is_string()) return wrong_type(member.name, "a string");
    individual.kind = member.value.as_string();
  } else if (member.name == "key") {
    return read_key(member, individual);
  } else if (member.name == "name") {
    return read_name(member, individual);
  } else if (member.name == "anonymous") {
    if (!member.value.is_bool()) return wrong_type(member.name, "a boolean");
    individual.anonymous = member.value.as_bool();
  } else if (member.name == "_meta") {
    return read_meta(member, individual);
  }
  return {};
}

// A context of one kind; an inner one is of `kind` unless it says otherwise.
Problem read_single(Members members, std::string_view kind, IndividualContext& individual) {
  individual = {};
  individual.kind = kind;
  individual.members = members;
  for (const Member& member : members) {
    if (Problem problem = read_member(member, individual); !problem.empty()) return problem;
  }
  if (individual.kind.empty()) individual.kind = kDefaultContextKind;
  if (!is_context_kind(individual.kind)) {
    return "\"" + std::string(individual.kind) + "\" is no kind of context";
  }
  if (individual.key.empty()) return "the context has no key, or an empty one";
  return {};
}

Problem read_multi(Members members, Arena& arena, Context& context) {
  const auto individuals = arena.make_array<IndividualContext>(members.size());
  std::size_t count = 0;
  for (const Member& member : members) {
    if (member.name == "kind") continue;
    if (!member.value.is_object()) return wrong_type(member.name, "an object");
    Problem problem = read_single(member.value.members(), member.name, individuals[count]);
    if (!problem.empty()) return problem;
    ++count;
  }
  if (count == 0) return "a context of several kinds has none";
  const auto made = individuals.first(count);
  std::ranges::sort(made, {}, &IndividualContext::kind);
  if (std::ranges::adjacent_find(made, {}, &IndividualContext::kind) != made.end()) {
    return "a kind comes twice";
  }
  context.individuals = made;
  return {};
}

bool is_plain_attribute_of_user(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames = {"firstName", "lastName", "email",
                                                      "country",   "avatar",   "ip"};
  return std::ranges::find(kNames, name) != kNames.end();
}

bool may_be_custom(std::string_view name) {
  return name != "kind" && name != "key" && name != "name" && name != "anonymous" &&
         name != "_meta";
}

std::size_t custom_count(Members members) {
  std::size_t count = members.size();
  for (const Member& member : members) {
    if (member.value.is_object()) count += member.value.members().size();
  }
  return count;
}

// The user's attributes, which in a context are members like any others.
struct LegacyAttributes {
  std::span<Member> members;
  std::size_t count = 0;

  void add(const Member& member) { members[count++] = member; }
};

Problem read_legacy_member(const Member& member, IndividualContext& user,
                           LegacyAttributes& attributes) {
  if (member.name == "key") return read_key(member, user);
  if (member.name == "name") return read_name(member, user);
  if (member.name == "privateAttributeNames") return read_private(member, user.private_attributes);
  if (member.name == "anonymous") {
    if (!member.value.is_bool() && !member.value.is_null()) {
      return wrong_type(member.name, "a boolean");
    }
    user.anonymous = member.value.is_bool() && member.value.as_bool();
  } else if (member.name == "custom") {
    if (member.value.is_null()) return {};
    if (!member.value.is_object()) return wrong_type(member.name, "an object");
    for (const Member& custom : member.value.members()) {
      if (may_be_custom(custom.name)) attributes.add(custom);
    }
  } else if (member.name == "secondary" || is_plain_attribute_of_user(member.name)) {
    if (!is_text_or_null(member.value)) return wrong_type(member.name, "a string");
    if (member.name != "secondary" && !member.value.is_null()) attributes.add(member);
  }
  return {};
}

// Its key must be there but may be empty.
Problem read_legacy_user(Members members, Arena& arena, IndividualContext& user) {
  user = {};
  user.private_names_are_plain = true;
  LegacyAttributes attributes{arena.make_array<Member>(custom_count(members))};
  bool has_key = false;
  for (const Member& member : members) {
    has_key = has_key || member.name == "key";
    Problem problem = read_legacy_member(member, user, attributes);
    if (!problem.empty()) return problem;
  }
  if (!has_key) return "the user has no key";
  user.members = attributes.members.first(attributes.count);
  return {};
}

}  // namespace

std::expected<EvaluationContext, std::string> SdkContextReader::read(std::string_view json) {
  arena_.reset();
  auto object = reader_.read_object(json);
  if (!object) return std::unexpected(std::move(object.error().message));
  return sdk_context_of(*object, arena_);
}

void SdkContextReader::shrink() {
  reader_.shrink();
  arena_ = Arena();
}

std::expected<EvaluationContext, std::string> sdk_context_of(const Value& object, Arena& arena) {
  const Members members = object.members();
  Context& context = *arena.make_array<Context>(1).data();
  Problem problem;
  const Value* const kind = object.member("kind");
  if (kind != nullptr && !kind->is_string()) {
    problem = wrong_type("kind", "a string");
  } else if (kind != nullptr && kind->as_string().empty()) {
    problem = "kind is empty";
  } else if (kind != nullptr && kind->as_string() == "multi") {
    problem = read_multi(members, arena, context);
  } else {
    const auto one = arena.make_array<IndividualContext>(1);
    problem = kind == nullptr ? read_legacy_user(members, arena, one[0])
                              : read_single(members, kind->as_string(), one[0]);
    context.individuals = one;
  }
  if (!problem.empty()) return std::unexpected(std::move(problem));
  context.is_valid = true;
  return EvaluationContext(object, context);
}

}  // namespace flagstone::evaluation::launchdarkly
