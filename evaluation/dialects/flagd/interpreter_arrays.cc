// The interpreter's operators that run a rule for each element of an array.
//
// flagd's library solves variables before it runs such rules: `filter`, `none` and `some` look into
// the outer data first, so that an outer name hides the element's; `all` and `some` look into the
// element. What a variable held then stands in the rule, and is a rule itself if it looks like one.
#include "evaluation/dialects/flagd/compiled_records.h"
#include "evaluation/dialects/flagd/interpreter.h"
#include "evaluation/dialects/flagd/rule_compiler.h"
#include "evaluation/operators/coercion.h"

namespace flagstone::evaluation::flagd {

using operators::failure;
using operators::Outcome;

namespace {
constexpr std::string_view kNotAnArray = "an array operator got something that is no array";
constexpr std::string_view kTooMuch = "the rule takes more than 1,000,000 steps";
}  // namespace

Outcome Interpreter::subject_of(const Node& node, const Data& data) {
  return evaluate(node.args()[0], data);
}

Outcome Interpreter::solve(const Value& rule, const Data& data) {
  if (!rule.is_array() && !rule.is_object()) return rule;
  if (!spend(1)) return failure(kTooMuch);
  if (depth_ == kEvaluationDepthMax) return failure("rules are nested too deep");
  ++depth_;
  Outcome result = rule.is_object() ? solve_object(rule, data) : Outcome(Value::null());
  if (rule.is_array()) {
    const auto items = arena_.make_array<Value>(rule.items().size());
    result = Value::array(items);
    for (std::size_t i = 0; i < items.size() && result; ++i) {
      const Outcome item = solve(rule.items()[i], data);
      if (item) {
        items[i] = *item;
      } else {
        result = item;
      }
    }
  }
  --depth_;
  return result;
}

Outcome Interpreter::solve_object(const Value& rule, const Data& data) {
  const Member* operation = operation_of(rule);
  if (operation != nullptr && operation->name == "$ref" && operation->value.is_string()) {
    // For flagd an evaluator's text stands where it is referred to.
    const CompiledEvaluator* evaluator = find_evaluator(operation->value.as_string());
    return evaluator == nullptr ? Outcome(rule) : solve(evaluator->written, data);
  }
  const auto solved = arena_.make_array<Member>(rule.members().size());
  for (std::size_t i = 0; i < solved.size(); ++i) {
    const Member& member = rule.members()[i];
    if (member.name != "var") {
      const Outcome value = solve(member.value, data);
      if (!value) return value;
      solved[i] = {member.name, *value};
      continue;
    }
    solved[i] = member;
    const bool own = member.value.is_string() &&
                     (member.value.as_string().empty() || member.value.as_string().front() == '.');
    if (own) continue;
    const Outcome name = evaluate_value(member.value, data);
    if (!name) return name;
    const Outcome value = variable_named(*name, data);
    if (!value || !value->is_null()) return value;
  }
  return Value::object(solved);
}

Outcome Interpreter::filter(const Node& node, const Data& data) {
  const Outcome subject = subject_of(node, data);
  if (!subject) return subject;
  if (subject->is_null()) return Value::array({});
  if (!subject->is_array()) return failure(kNotAnArray);
  const Outcome solved = solve(node.args()[1].value(), data);
  if (!solved) return solved;
  const Node rule = compile_rule(*solved, arena_);
  const auto kept = arena_.make_array<Value>(subject->items().size());
  std::size_t count = 0;
  for (const Value& item : subject->items()) {
    const Arena::Mark mark = arena_.mark();
    if (!spend(1)) return failure(kTooMuch);
    const Outcome result = evaluate(rule, {item});
    if (!result) return result;
    if (operators::is_true(*result)) kept[count++] = item;
    arena_.rewind(mark);
  }
  return Value::array(kept.first(count));
}

Outcome Interpreter::map(const Node& node, const Data& data) {
  const Outcome subject = subject_of(node, data);
  if (!subject) return subject;
  if (subject->is_null()) return Value::array({});
  if (!subject->is_array()) return failure(kNotAnArray);
  const auto items = subject->items();
  const auto mapped = arena_.make_array<Value>(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!spend(1)) return failure(kTooMuch);
    const Outcome result = evaluate(node.args()[1], {items[i]});
    if (!result) return result;
    mapped[i] = *result;
  }
  return Value::array(mapped);
}

Outcome Interpreter::reduce(const Node& node, const Data& data) {
  const Outcome start = evaluate(node.args()[2], data);
  if (!start) return start;
  if (!start->is_bool() && !start->is_number() && !start->is_string()) {
    return failure("reduce needs a boolean, number or string to start from");
  }
  const std::string_view type = start->is_bool()     ? "bool"
                                : start->is_number() ? "number"
                                                     : "string";
  const Outcome subject = subject_of(node, data);
  if (!subject) return subject;
  if (subject->is_null()) return Value::number(0);
  if (!subject->is_array()) return failure(kNotAnArray);

  const auto members = arena_.make_array<Member>(3);
  members[0] = {"current", Value::number(0)};
  members[1] = {"accumulator", *start};
  members[2] = {"valueType", Value::string(type)};
  for (const Value& item : subject->items()) {
    if (item.is_null()) continue;
    if (!spend(1)) return failure(kTooMuch);
    members[0].value = item;
    const Outcome result = evaluate(node.args()[1], {Value::object(members)});
    if (!result) return result;
    if (start->is_bool()) {
      members[1].value = Value::boolean(operators::is_true(*result));
    } else if (start->is_number()) {
      const auto number = operators::arithmetic_number(*result);
      if (!number) return std::unexpected(number.error());
      members[1].value = Value::number(*number);
    } else {
      const auto text = operators::text_of(*result, arena_);
      if (!text) return std::unexpected(text.error());
      members[1].value = Value::string(*text);
    }
  }
  return members[1].value;
}

// `all` wants every element, `some` one, `none` none. Nothing to look at is false, false and true.
Outcome Interpreter::quantifier(const Node& node, const Data& data) {
  const Outcome subject = subject_of(node, data);
  if (!subject) return subject;
  const bool none = node.op == Op::kNone;
  if (!operators::is_true(*subject)) return Value::boolean(none);
  if (!subject->is_array()) return failure(kNotAnArray);
  // A rule that is missing fails when it is looked at.
  if (node.args()[1].op == Op::kFail) return evaluate(node.args()[1], data);

  Outcome rule = node.args()[1].value();
  if (node.op != Op::kAll) rule = solve(*rule, data);
  if (!rule) return rule;
  for (const Value& item : subject->items()) {
    const Arena::Mark mark = arena_.mark();
    if (!spend(1)) return failure(kTooMuch);
    const Outcome own = none ? rule : solve(*rule, {item});
    if (!own) return own;
    if (!own->is_object()) return failure("all, none and some need a rule for each element");
    const Outcome result = evaluate_value(*own, {item});
    if (!result) return result;
    const bool is_true = operators::is_true(*result);
    arena_.rewind(mark);
    if (is_true != (node.op == Op::kAll)) return Value::boolean(node.op == Op::kSome);
  }
  return Value::boolean(node.op != Op::kSome);
}

}  // namespace flagstone::evaluation::flagd
