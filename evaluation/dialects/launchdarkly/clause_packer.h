// Packs the clauses, attributes and sets of keys that flags and segments have alike.
//
// One thread, for the time of one compile(); see evaluation/packed_record.h. Never fails.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "evaluation/arena.h"
#include "evaluation/dialects/launchdarkly/clause.h"
#include "evaluation/dialects/launchdarkly/compiled_records.h"
#include "evaluation/dialects/launchdarkly/definition.h"
#include "evaluation/dialects/launchdarkly/regex_list.h"
#include "evaluation/packed_record.h"

namespace flagstone::evaluation::launchdarkly {

class ClausePacker {
 public:
  ClausePacker(BlockPacker& packer, RegexList& regexes, Arena& arena)
      : packer_(packer), regexes_(regexes), arena_(arena) {}

  // The default kind where none is named.
  std::string_view context_kind(std::string_view written);
  // `context_kind`: as it was written beside the attribute.
  Attribute attribute(std::string_view written, std::string_view context_kind);
  std::span<const Clause> clauses(std::span<const ClauseDefinition> from);
  std::span<const Target> targets(std::span<const TargetDefinition> from);
  // Without a seed `KEY.SALT.`. An experiment buckets by the key alone.
  Bucketing bucketing(std::string_view prefix, std::string_view context_kind,
                      std::string_view bucket_by);

 private:
  struct KnownRegex {
    const re2::RE2* regex = nullptr;      // nullptr: matches nothing.
    const void* last_operands = nullptr;  // Of the clause that listed it last.
  };

  Clause clause(const ClauseDefinition& from);
  void pack_scalars(Clause& clause, std::span<const Value> values);
  void pack_numbers(Clause& clause, std::span<const Value> values);
  void pack_texts(Clause& clause, std::span<const Value> values);
  void pack_instants(Clause& clause, std::span<const Value> values);
  void pack_versions(Clause& clause, std::span<const Value> values);
  void pack_regexes(Clause& clause, std::span<const Value> values);
  // nullptr: it matches nothing.
  KnownRegex* regex(std::string_view pattern);

  BlockPacker& packer_;
  RegexList& regexes_;
  Arena& arena_;
  // By their texts: one that comes again is no second one.
  std::unordered_map<std::string_view, KnownRegex> known_regexes_;
};

}  // namespace flagstone::evaluation::launchdarkly
