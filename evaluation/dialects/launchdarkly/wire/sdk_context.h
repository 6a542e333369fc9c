// Reads a context as LaunchDarkly's own SDKs write it: one kind, several, or a legacy user.
//
// Strict, as LaunchDarkly's own parser is: what comes out is valid, a wrong type or a missing key
// is an error. A SdkContextReader belongs to one thread; its memory grows to the largest context
// seen and stays, and what it read is valid until the next read(), as long as the text stays.
// Source: go-sdk-common v3 (ldcontext).
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "evaluation/arena.h"
#include "evaluation/context_reader.h"
#include "evaluation/dialects/launchdarkly/context.h"
#include "evaluation/evaluation_context.h"

namespace flagstone::evaluation::launchdarkly {

class SdkContextReader {
 public:
  // For Dialect::evaluate() of this dialect. The error is for people.
  std::expected<EvaluationContext, std::string> read(std::string_view json);

  // What it keeps between requests; and giving that back.
  std::size_t bytes() const { return reader_.bytes() + arena_.bytes(); }
  void shrink();

 private:
  ContextReader reader_;
  Arena arena_;
};

// `object` is what stands in the JSON, and an object.
std::expected<EvaluationContext, std::string> sdk_context_of(const Value& object, Arena& arena);

}  // namespace flagstone::evaluation::launchdarkly
