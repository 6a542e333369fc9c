// What the operator adds to every evaluation context: flagd's static context (`-X`) and context
// from headers (`-H`). Headers win over static values, those over what the request itself says.
//
// One per api of a serving thread, on its loop; borrows the settings. Source: flagd
// flagd/pkg/service/flag-evaluation/flag_evaluator.go (mergeContexts). Nothing allocates once the
// memory has grown.
#pragma once

#include <cstdint>

#include "evaluation/arena.h"
#include "evaluation/content_hash.h"
#include "evaluation/evaluation_context.h"
#include "net/request.h"
#include "sidecar/serving_settings.h"

namespace flagstone::sidecar {

class ContextAdditions {
 public:
  // flagd's deprecated schema.v1 knows no context from headers.
  enum class Headers : std::uint8_t { kMapped, kIgnored };

  explicit ContextAdditions(const ServingSettings& settings) : settings_(settings) {}

  // The context with what is added; the very same when nothing is. Valid until the next merge().
  evaluation::EvaluationContext merge(const evaluation::EvaluationContext& context,
                                      const net::Request& request,
                                      Headers headers = Headers::kMapped);
  // All that merge() would add, for the ETags of answers.
  void add_to(evaluation::ContentHash& hash, const net::Request& request) const;

 private:
  const ServingSettings& settings_;
  evaluation::Arena arena_;
};

}  // namespace flagstone::sidecar
