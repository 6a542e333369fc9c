// Runs one flag for one context: targets, rules, prerequisites and segments.
//
// On the stack, for one evaluation; everything it finds belongs to the compiled records, the
// context or the arena. Never fails: what the vendor's evaluator calls malformed is a result.
// Recursion and work are bounded: beyond kDepthMax prerequisites or segments inside each other,
// kVisitsMax of them in all or kChecksMax clauses, the flag is malformed. (Go's evaluator has no
// such bounds.)
// Source: go-server-sdk-evaluation v3 (evaluator, evaluator_segment).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "evaluation/arena.h"
#include "evaluation/dialects/launchdarkly/compiled_records.h"
#include "evaluation/dialects/launchdarkly/context.h"
#include "evaluation/dialects/launchdarkly/wire/detail.h"
#include "evaluation/record_lookup.h"

namespace flagstone::evaluation::launchdarkly {

class Evaluator {
 public:
  static constexpr std::size_t kDepthMax = 256;
  static constexpr std::size_t kVisitsMax = 10'000;
  // Clauses, and segments that they name.
  static constexpr std::size_t kChecksMax = 1'000'000;

  Evaluator(const Context& context, const RecordLookup& lookup, Arena& arena)
      : context_(context), lookup_(lookup), arena_(arena) {}

  void evaluate(const CompiledFlag& flag, Detail& detail);
  // What is wrong with a malformed flag, static text. Empty when nothing is.
  std::string_view problem() const { return problem_; }

 private:
  enum class Match : std::uint8_t { kNo, kYes, kMalformed };
  // The flags, or segments, that led here, innermost first.
  struct Chain {
    const CompiledRecord* record;
    const Chain* outer;
    std::size_t depth;
  };
  struct Evaluated {
    PrerequisiteEvaluation evaluation;
    Evaluated* next;
  };

  // False: malformed in a way that makes those malformed too whose prerequisite it is.
  bool run(const CompiledFlag& flag, const Chain* outer, Detail& detail);
  Match check_prerequisites(const CompiledFlag& flag, const Chain* outer, std::string_view& failed);
  bool follow_rules(const CompiledFlag& flag, Detail& detail);
  const Target* matching_target(const CompiledFlag& flag) const;
  Match matches_all(std::span<const Clause> clauses, const Chain* segments);
  Match matches(const Clause& clause, const Chain* segments);
  Match is_in_any_segment(const Clause& clause, const Chain* segments);
  Match is_in_segment(const CompiledSegment& segment, const Chain* outer);
  Match is_in_rule(const SegmentRule& rule, const Chain* segments);
  bool is_listed(std::span<const Target> lists) const;
  // Adds a link to a chain, unless it is there or would be one too many.
  bool enter(Chain& link);

  void choose(const CompiledFlag& flag, const Choice& choice, Detail& detail);
  void choose(const CompiledFlag& flag, std::int64_t index, Detail& detail);
  void choose_off(const CompiledFlag& flag, Detail& detail);
  void fail(std::string_view problem, Detail& detail);
  Match malformed(std::string_view problem);
  void record(std::string_view of, const Detail& detail);

  const Context& context_;
  const RecordLookup& lookup_;
  Arena& arena_;
  std::string_view problem_;
  BigSegmentsStatus big_segments_ = BigSegmentsStatus::kNone;
  std::size_t visits_ = 0;
  std::size_t checks_ = 0;
  Evaluated* first_evaluated_ = nullptr;
  Evaluated* last_evaluated_ = nullptr;
  std::size_t evaluated_count_ = 0;
};

}  // namespace flagstone::evaluation::launchdarkly
