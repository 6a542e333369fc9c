// Reads an evaluation context from a request's JSON body in one validating pass.
//
// One per serving thread; its memory grows to the largest body seen (bounded by the body limit) and
// stays. The context it returns is valid until the next read().
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "evaluation/evaluation_context.h"

namespace flagstone::evaluation {

struct ContextError {
  enum class Kind : std::uint8_t {
    kMalformedJson,  // Not JSON, invalid UTF-8, or deeper than kJsonDepthMax.
    kNotAnObject,    // JSON, but the body (or its context) is not an object.
    kMissing,        // An object without that member.
    kTooLarge,       // More than kContextValuesMax.
  };
  Kind kind = Kind::kMalformedJson;
  std::string message;  // For the caller: what, and where (byte offset) if known.
};

class ContextReader {
 public:
  ContextReader();
  ~ContextReader();
  ContextReader(const ContextReader&) = delete;
  ContextReader& operator=(const ContextReader&) = delete;

  // The context in the body's member `name` (OFREP: {"context": {...}}). The whole body is
  // validated.
  std::expected<EvaluationContext, ContextError> read_member(std::string_view body,
                                                             std::string_view name);
  // The body itself is the context.
  std::expected<EvaluationContext, ContextError> read(std::string_view body);
  // What it keeps between requests; and giving that back.
  std::size_t bytes() const;
  void shrink();

  // The body itself, which has to be an object: for requests with more in them than a context.
  std::expected<Value, ContextError> read_object(std::string_view body);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flagstone::evaluation
