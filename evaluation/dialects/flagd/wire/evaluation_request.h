// Reads what flagd's evaluation services are asked: Resolve…Request {flag_key, context} and
// ResolveAllRequest {context}, as protobuf bytes or as protobuf's JSON.
//
// One per serving thread; its memory grows to the largest request seen and stays. What it returns
// points into the message and into that memory, and is valid until the next read.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "evaluation/arena.h"
#include "evaluation/context_reader.h"
#include "evaluation/evaluation_context.h"

namespace flagstone::evaluation::flagd {

struct ResolveRequest {
  std::string_view flag_key;
  EvaluationContext context;
};

class EvaluationRequestReader {
 public:
  // Of Resolve…Request in all three packages. The error is for the caller.
  std::expected<ResolveRequest, std::string> read(std::string_view message);
  // {"flagKey": "x", "context": {}}, unknown members ignored, null as absent; `contexts` lends its
  // memory. An empty body is no JSON.
  static std::expected<ResolveRequest, std::string> read_json(std::string_view body,
                                                              ContextReader& contexts);

  // Of ResolveAllRequest.
  std::expected<EvaluationContext, std::string> read_all(std::string_view message);
  static std::expected<EvaluationContext, std::string> read_all_json(std::string_view body,
                                                                     ContextReader& contexts);

 private:
  std::expected<EvaluationContext, std::string> read_context(std::string_view message,
                                                             unsigned field);
  void reset();

  Arena arena_;
};

}  // namespace flagstone::evaluation::flagd
