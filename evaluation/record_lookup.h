// How an evaluation reaches other records of the same environment: segments, prerequisites,
// shared evaluators.
//
// Implemented by `cache/record_reader.h`; always one snapshot, so everything an evaluation sees is
// of one moment. Never fails: what is not there is nullptr. What is compiled is found without
// allocating; what is not is compiled for the evaluation.
#pragma once

#include <string_view>

#include "evaluation/record.h"

namespace flagstone::evaluation {

class RecordLookup {
 public:
  virtual ~RecordLookup() = default;

  // The record in exactly this set.
  virtual const CompiledRecord* find(RecordKind kind, std::string_view set_id,
                                     std::string_view key) const = 0;
  // The record in whichever set has it: the latest source wins, then the greatest set id.
  virtual const CompiledRecord* find_in_any_set(RecordKind kind, std::string_view key) const = 0;
};

}  // namespace flagstone::evaluation
