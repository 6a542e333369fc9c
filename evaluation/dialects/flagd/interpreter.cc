#include "evaluation/dialects/flagd/interpreter.h"

#include <algorithm>
#include <array>

#include "evaluation/dialects/flagd/compiled_records.h"
#include "evaluation/dialects/flagd/rule_compiler.h"
#include "evaluation/operators/arrays.h"
#include "evaluation/operators/coercion.h"
#include "evaluation/operators/variable.h"

namespace flagstone::evaluation::flagd {

using operators::failure;
using operators::Outcome;

namespace {

constexpr std::string_view kTooMuch = "the rule takes more than 1,000,000 steps";
constexpr std::string_view kTooDeep =
    "rules are nested, or refer to each other, deeper than 1,024 levels (in a circle?)";
constexpr std::string_view kTooLarge = "the rule takes more than 16 MiB of memory";

// What a pure operator costs beyond a step, for those whose cost grows faster than their input.
std::size_t cost_of(Op op, const Value& arguments) {
  constexpr std::size_t kElementsPerStep = 16;
  constexpr std::size_t kCharacterPairsPerStep = 256;
  if (op > Op::kContainsNone || !arguments.is_array() || arguments.items().size() < 2) return 0;
  const Value& a = arguments.items()[0];
  const Value& b = arguments.items()[1];
  if (op == Op::kIn) {
    if (b.is_array()) return b.items().size() / kElementsPerStep;
    if (!a.is_string() || !b.is_string()) return 0;
    return a.as_string().size() * b.as_string().size() / kCharacterPairsPerStep;
  }
  const bool contains = op == Op::kContainsAll || op == Op::kContainsAny || op == Op::kContainsNone;
  if (!contains || !a.is_array() || !b.is_array()) return 0;
  return a.items().size() * b.items().size() / kElementsPerStep;
}

}  // namespace

Interpreter::Interpreter(const Surroundings& surroundings, Arena& arena)
    : in_(surroundings), arena_(arena) {}

Outcome Interpreter::run(const Node& rule) { return evaluate(rule, {in_.attributes, true}); }

bool Interpreter::spend(std::size_t steps) {
  steps_ += steps;
  return steps_ <= kEvaluationStepsMax;
}

// In the order of Op, up to kFirstPureOp. Called through this table they are not all inlined into
// each other, where every small one would pay for the frame of the largest.
constinit const std::array<Interpreter::Handler, static_cast<std::size_t>(kFirstPureOp)>
    Interpreter::kHandlers = {
        &Interpreter::literal,          &Interpreter::fail,       &Interpreter::reference,
        &Interpreter::variable_at_path, &Interpreter::attribute,  &Interpreter::array,
        &Interpreter::variable,         &Interpreter::missing,    &Interpreter::missing_some,
        &Interpreter::all_of,           &Interpreter::any_of,     &Interpreter::choose,
        &Interpreter::filter,           &Interpreter::map,        &Interpreter::reduce,
        &Interpreter::quantifier,       &Interpreter::quantifier, &Interpreter::quantifier,
        &Interpreter::fractional,       &Interpreter::rollout,    &Interpreter::set,
};

Outcome Interpreter::evaluate(const Node& node, const Data& data) {
  if (node.op == Op::kLiteral) return node.value();
  if (!spend(1)) return failure(kTooMuch);
  if (depth_ == kEvaluationDepthMax) return failure(kTooDeep);
  ++depth_;
  const Outcome result = node.op >= kFirstPureOp
                             ? apply(node, data)
                             : (this->*kHandlers[static_cast<std::size_t>(node.op)])(node, data);
  --depth_;
  return result;
}

Outcome Interpreter::literal(const Node& node, const Data&) { return node.value(); }
Outcome Interpreter::fail(const Node& node, const Data&) {
  return failure(node.value().as_string());
}
Outcome Interpreter::array(const Node& node, const Data& data) {
  return evaluate_all(node.args(), data);
}
Outcome Interpreter::reference(const Node& node, const Data& data) {
  return reference_named(node.value().as_string(), data);
}

// Pure operators keep nothing of the list of their arguments, so that a short one needs no arena.
[[gnu::noinline]] Outcome Interpreter::apply(const Node& node, const Data& data) {
  constexpr std::size_t kFewArguments = 3;
  std::array<Value, kFewArguments> few;
  Outcome arguments = Value::null();
  if (node.has_list && node.size <= kFewArguments) {
    if (arena_.bytes() > kEvaluationBytesMax) return failure(kTooLarge);
    for (std::size_t i = 0; i < node.size; ++i) {
      const Node& argument = node.arguments[i];
      if (argument.op == Op::kLiteral) {
        few[i] = argument.value();
        continue;
      }
      const Outcome value = evaluate(argument, data);
      if (!value) return value;
      few[i] = *value;
    }
    arguments = Value::array({few.data(), node.size});
  } else {
    arguments = arguments_of(node, data);
    if (!arguments) return arguments;
  }
  if (!spend(cost_of(node.op, *arguments))) return failure(kTooMuch);
  return apply_pure(node.op, *arguments, arena_);
}

Outcome Interpreter::evaluate_all(std::span<const Node> nodes, const Data& data) {
  if (arena_.bytes() > kEvaluationBytesMax) return failure(kTooLarge);
  const auto values = arena_.make_array<Value>(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].op == Op::kLiteral) {
      values[i] = nodes[i].value();
      continue;
    }
    const Outcome value = evaluate(nodes[i], data);
    if (!value) return value;
    values[i] = *value;
  }
  return Value::array(values);
}

Outcome Interpreter::arguments_of(const Node& node, const Data& data) {
  return node.has_list ? evaluate_all(node.args(), data) : evaluate(node.args()[0], data);
}

Outcome Interpreter::evaluate_value(const Value& rule, const Data& data) {
  if (!rule.is_array() && !rule.is_object()) return rule;
  if (arena_.bytes() > kEvaluationBytesMax) return failure(kTooLarge);
  return evaluate(compile_rule(rule, arena_), data);
}

const CompiledEvaluator* Interpreter::find_evaluator(std::string_view name) const {
  const CompiledRecord* found = in_.lookup.find(kEvaluatorKind, in_.set_id, name);
  if (found == nullptr) found = in_.lookup.find_in_any_set(kEvaluatorKind, name);
  // Records of this kind are made by compile_evaluator() alone.
  return static_cast<const CompiledEvaluator*>(found);
}

Outcome Interpreter::reference_named(std::string_view name, const Data& data) {
  const CompiledEvaluator* evaluator = find_evaluator(name);
  if (evaluator != nullptr) return evaluate(*evaluator->rule, data);
  constexpr std::string_view kBefore = "$ref names no evaluator: ";
  char* text = static_cast<char*>(arena_.allocate(kBefore.size() + name.size(), 1));
  char* at = std::copy(kBefore.begin(), kBefore.end(), text);
  at = std::copy(name.begin(), name.end(), at);
  return failure({text, static_cast<std::size_t>(at - text)});
}

Outcome Interpreter::all_of(const Node& node, const Data& data) {
  Outcome last = Value::null();
  for (const Node& argument : node.args()) {
    last = evaluate(argument, data);
    if (!last || !operators::is_true(*last)) return last;
  }
  return last;
}

Outcome Interpreter::any_of(const Node& node, const Data& data) {
  Outcome last = Value::null();
  for (const Node& argument : node.args()) {
    last = evaluate(argument, data);
    if (!last || operators::is_true(*last)) return last;
  }
  return last;
}

Outcome Interpreter::choose(const Node& node, const Data& data) {
  const auto args = node.args();
  for (std::size_t i = 0; i + 1 < args.size(); i += 2) {
    const Outcome condition = evaluate(args[i], data);
    if (!condition) return condition;
    if (operators::is_true(*condition)) return clause(args[i + 1], data);
  }
  return args.size() % 2 == 1 ? clause(args.back(), data) : Outcome(Value::null());
}

// An object that comes out of a clause is taken as a rule once more.
Outcome Interpreter::clause(const Node& node, const Data& data) {
  const Outcome result = evaluate(node, data);
  if (!result || !result->is_object() || operation_of(*result) == nullptr) return result;
  return evaluate_value(*result, data);
}

Outcome Interpreter::set(const Node& node, const Data& data) {
  const Outcome arguments = arguments_of(node, data);
  if (!arguments) return arguments;
  if (arguments->is_array() && arguments->items().size() >= 3 &&
      arguments->items()[0].is_object()) {
    // The new value is evaluated twice, as flagd's library does.
    const Outcome value = evaluate_value(arguments->items()[2], data);
    if (!value) return value;
    const auto changed = arena_.make_array<Value>(3);
    changed[0] = arguments->items()[0];
    changed[1] = arguments->items()[1];
    changed[2] = *value;
    return operators::set_property(Value::array(changed), arena_);
  }
  return operators::set_property(*arguments, arena_);
}

}  // namespace flagstone::evaluation::flagd
