// A context's place between 0 and 1 in a rollout.
//
// Pure; allocates nothing. Source: go-server-sdk-evaluation v3 (evaluator_bucketing), its single
// precision included.
#pragma once

#include <cstdint>

#include "evaluation/dialects/launchdarkly/compiled_records.h"
#include "evaluation/dialects/launchdarkly/context.h"

namespace flagstone::evaluation::launchdarkly {

struct Bucket {
  enum class Kind : std::uint8_t {
    kFound,
    kNoContext,    // The context has none of the kind: place 0.
    kBadAttribute  // No attribute reference: the flag is malformed.
  };
  Kind kind = Kind::kFound;
  // 0 also where the attribute is missing, or neither a string nor a whole number.
  float place = 0;
};

Bucket bucket_of(const Bucketing& bucketing, const Context& context);

}  // namespace flagstone::evaluation::launchdarkly
