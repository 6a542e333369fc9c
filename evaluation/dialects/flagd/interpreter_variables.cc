// The interpreter's way to the data: `var`, `missing`, `missing_some`.
#include "evaluation/dialects/flagd/interpreter.h"
#include "evaluation/dialects/flagd/rule_compiler.h"
#include "evaluation/operators/coercion.h"
#include "evaluation/operators/numbers.h"
#include "evaluation/operators/variable.h"

namespace flagstone::evaluation::flagd {

using operators::failure;
using operators::Outcome;

namespace {
constexpr std::string_view kFlagdName = "$flagd";
constexpr std::string_view kTooMuch = "the rule takes more than 1,000,000 steps";

// Looking through an object costs by its size.
std::size_t steps_to_look_through(const Value& data) {
  constexpr std::size_t kMembersPerStep = 16;
  return data.is_object() ? data.members().size() / kMembersPerStep : 0;
}
}  // namespace

// The data as one value; at the root that is a copy of the context with $flagd replaced.
Value Interpreter::whole(const Data& data) {
  if (!data.is_root) return data.value;
  const auto members = data.value.members();
  const auto all = arena_.make_array<Member>(members.size() + 1);
  std::size_t count = 0;
  for (const Member& member : members) {
    if (member.name != kFlagdName) all[count++] = member;
  }
  all[count++] = {kFlagdName, flagd()};
  return Value::object(all.first(count));
}

const Value& Interpreter::flagd() {
  if (flagd_.is_null()) {
    flagd_members_[0] = {"flagKey", Value::string(in_.flag_key)};
    flagd_members_[1] = {"timestamp", Value::integer(in_.unix_seconds)};
    flagd_ = Value::object(flagd_members_);
  }
  return flagd_;
}

Outcome Interpreter::variable_at_path(const Node& node, const Data& data) {
  return variable_at(node.value().as_string(), Value::null(), data);
}

Outcome Interpreter::attribute(const Node& node, const Data& data) {
  const std::string_view name = node.value().as_string();
  if (!data.value.is_object()) return variable_at(name, Value::null(), data);
  if (!spend(steps_to_look_through(data.value))) return failure(kTooMuch);
  const Value* found = data.value.member(name);
  return found == nullptr ? Value::null() : *found;
}

Outcome Interpreter::variable_at(std::string_view path, const Value& otherwise, const Data& data) {
  if (data.value.is_null()) return otherwise;
  std::string_view step;
  std::string_view rest = path;
  if (!operators::next_step(rest, step)) return whole(data);
  if (!spend(steps_to_look_through(data.value))) return failure(kTooMuch);
  const bool own = data.is_root && step == kFlagdName;
  const Value* found = own ? &flagd() : operators::step_into(data.value, step);
  if (found != nullptr) found = operators::find_variable(*found, rest);
  return found == nullptr ? otherwise : *found;
}

Outcome Interpreter::variable(const Node& node, const Data& data) {
  const Outcome name = arguments_of(node, data);
  if (!name) return name;
  return variable_named(*name, data);
}

Outcome Interpreter::variable_named(const Value& name, const Data& data) {
  if (name.is_null()) {
    const bool plain = !data.value.is_array() && !data.value.is_object();
    return plain ? data.value : Value::null();
  }
  if (name.is_string()) {
    if (name.as_string().empty()) return whole(data);
    return variable_at(name.as_string(), Value::null(), data);
  }
  if (name.is_number()) {
    const auto text = operators::text_of(name, arena_);
    if (!text) return std::unexpected(text.error());
    return variable_at(*text, Value::null(), data);
  }
  if (!name.is_array()) return failure("var needs a name");
  const auto items = name.items();
  if (items.empty()) return whole(data);
  if (!items[0].is_string()) return failure("var needs a name");
  return variable_at(items[0].as_string(), items.size() == 2 ? items[1] : Value::null(), data);
}

// The names, which are evaluated a second time, of what is not there.
Outcome Interpreter::absent_of(std::span<const Value> names, const Data& data) {
  const auto absent = arena_.make_array<Value>(names.size());
  std::size_t count = 0;
  for (const Value& item : names) {
    const Outcome name = evaluate_value(item, data);
    if (!name) return name;
    const Outcome found = variable_named(*name, data);
    if (!found) return found;
    if (found->is_null()) absent[count++] = item;
  }
  return Value::array(absent.first(count));
}

Outcome Interpreter::missing(const Node& node, const Data& data) {
  const Outcome names = arguments_of(node, data);
  if (!names) return names;
  if (!names->is_array() && !names->is_string()) return failure("missing needs names");
  return absent_of(names->is_array() ? names->items() : std::span<const Value>(&*names, 1), data);
}

Outcome Interpreter::missing_some(const Node& node, const Data& data) {
  const Outcome arguments = arguments_of(node, data);
  if (!arguments) return arguments;
  if (!arguments->is_array() || arguments->items().empty()) {
    return failure("missing_some needs a number and names");
  }
  const auto needed = operators::arithmetic_number(arguments->items()[0]);
  if (!needed) return std::unexpected(needed.error());
  if (arguments->items().size() < 2 || !arguments->items()[1].is_array()) {
    return failure("missing_some needs a number and names");
  }
  const auto names = arguments->items()[1].items();
  const Outcome absent = absent_of(names, data);
  if (!absent) return absent;
  const auto present = static_cast<std::int64_t>(names.size() - absent->items().size());
  return operators::truncate(*needed) <= present ? Value::array({}) : *absent;
}

}  // namespace flagstone::evaluation::flagd
