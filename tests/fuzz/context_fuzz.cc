// Any bytes as a request's body: what the reader takes, the strict grammar takes too.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "evaluation/context_reader.h"
#include "evaluation/json_syntax.h"

namespace evaluation = flagstone::evaluation;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kAnyDepth = 1 << 20;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  evaluation::ContextReader reader;
  const auto context = reader.read_member(body, "context");
  using Kind = evaluation::ContextError::Kind;
  const bool is_json = context || context.error().kind != Kind::kMalformedJson;
  if (is_json && !evaluation::check_json(body, kAnyDepth)) std::abort();
  if (context && !context->attributes().is_object()) std::abort();
  return 0;
}
