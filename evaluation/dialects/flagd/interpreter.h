// Runs a compiled targeting rule: JsonLogic as flagd's library understands it.
//
// Lives for one evaluation; one thread. Works in the arena given and allocates nowhere else. Fails
// where flagd's library would (it calls that a panic), and past the limits below, which stand for
// time and memory: data can be looped over and rules may come out of data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "evaluation/dialects/flagd/flagd_dialect.h"
#include "evaluation/dialects/flagd/rule.h"
#include "evaluation/murmur3.h"
#include "evaluation/operators/outcome.h"
#include "evaluation/record_lookup.h"

namespace flagstone::evaluation::flagd {

// Rules inside rules, references followed included.
inline constexpr std::size_t kEvaluationDepthMax = 1024;
// Nodes evaluated, and roughly what the larger operators cost in such.
inline constexpr std::size_t kEvaluationStepsMax = 1'000'000;
// Memory in use at the end of any operator.
inline constexpr std::size_t kEvaluationBytesMax = std::size_t{16} << 20;

struct Surroundings {
  Value attributes;
  std::string_view flag_key;
  std::string_view set_id;
  std::int64_t unix_seconds = 0;
  FractionalVersion fractional = FractionalVersion::kV2;
  const RecordLookup& lookup;
  // Of flag_key, where it was made before.
  const Murmur3Beginning* flag_key_hash = nullptr;
};

class Interpreter {
 public:
  Interpreter(const Surroundings& surroundings, Arena& arena);

  operators::Outcome run(const Node& rule);

 private:
  using Outcome = operators::Outcome;

  // What variables are looked up in. At the root that is the context with $flagd laid over it.
  struct Data {
    Value value;
    bool is_root = false;
  };

  using Handler = Outcome (Interpreter::*)(const Node& node, const Data& data);
  static const std::array<Handler, static_cast<std::size_t>(kFirstPureOp)> kHandlers;

  Outcome evaluate(const Node& node, const Data& data);
  Outcome literal(const Node& node, const Data& data);
  Outcome fail(const Node& node, const Data& data);
  Outcome array(const Node& node, const Data& data);
  Outcome apply(const Node& node, const Data& data);
  Outcome evaluate_all(std::span<const Node> nodes, const Data& data);
  Outcome arguments_of(const Node& node, const Data& data);
  // A value out of data, taken as a rule.
  Outcome evaluate_value(const Value& rule, const Data& data);

  Outcome reference(const Node& node, const Data& data);
  Outcome reference_named(std::string_view name, const Data& data);
  const class CompiledEvaluator* find_evaluator(std::string_view name) const;

  Outcome attribute(const Node& node, const Data& data);
  Outcome variable_at_path(const Node& node, const Data& data);
  Outcome variable(const Node& node, const Data& data);
  Outcome variable_named(const Value& name, const Data& data);
  Outcome variable_at(std::string_view path, const Value& otherwise, const Data& data);
  Outcome absent_of(std::span<const Value> names, const Data& data);
  Outcome missing(const Node& node, const Data& data);
  Outcome missing_some(const Node& node, const Data& data);
  Value whole(const Data& data);
  const Value& flagd();

  Outcome all_of(const Node& node, const Data& data);
  Outcome any_of(const Node& node, const Data& data);
  Outcome choose(const Node& node, const Data& data);
  Outcome clause(const Node& node, const Data& data);

  Outcome filter(const Node& node, const Data& data);
  Outcome map(const Node& node, const Data& data);
  Outcome reduce(const Node& node, const Data& data);
  Outcome quantifier(const Node& node, const Data& data);
  // The rule with every variable that the data has replaced by what it holds.
  Outcome solve(const Value& rule, const Data& data);
  Outcome solve_object(const Value& rule, const Data& data);
  Outcome subject_of(const Node& node, const Data& data);

  Outcome set(const Node& node, const Data& data);
  Outcome fractional(const Node& node, const Data& data);
  Outcome fractional_of(const Value& arguments, const Data& data);
  Outcome rollout(const Node& node, const Data& data);
  // What decides a user's bucket: the value that the rule gives for it, or, when it gives none, the
  // targeting key behind the flag's. Nothing when there is none or it has no encoding.
  std::optional<std::uint32_t> hash_of(const Value& bucket_by);
  std::optional<std::uint32_t> default_hash(const Data& data);
  Value pick(std::span<const operators::WeightedValue> entries, std::uint32_t hash) const;

  bool spend(std::size_t steps);

  const Surroundings& in_;
  Arena& arena_;
  std::size_t depth_ = 0;
  std::size_t steps_ = 0;
  // $flagd, made when it is first asked for.
  Member flagd_members_[2];
  Value flagd_;
};

}  // namespace flagstone::evaluation::flagd
