#include "evaluation/dialects/flagd/wire/evaluation_request.h"

#include "evaluation/dialects/flagd/wire/protobuf_reader.h"
#include "evaluation/dialects/flagd/wire/struct_reader.h"
#include "evaluation/utf8.h"

namespace flagstone::evaluation::flagd {
namespace {

using WireType = ProtobufReader::WireType;

// Fields of Resolve…Request and of ResolveAllRequest.
constexpr unsigned kFlagKey = 1;
constexpr unsigned kContext = 2;
constexpr unsigned kContextOfAll = 1;

// What an odd request left behind beyond this is given back before the next one.
constexpr std::size_t kKeptBytes = std::size_t{1} << 20;

std::unexpected<std::string> refused(std::string_view why) {
  return std::unexpected(std::string(why));
}

std::expected<EvaluationContext, std::string> context_of(const Value& root) {
  const Value* context = root.member("context");
  if (context == nullptr || context->is_null()) return EvaluationContext();
  if (!context->is_object()) return refused("\"context\" is not a JSON object");
  return EvaluationContext(*context);
}

}  // namespace

void EvaluationRequestReader::reset() {
  if (arena_.bytes() > kKeptBytes) arena_ = Arena();
  arena_.reset();
}

std::expected<EvaluationContext, std::string> EvaluationRequestReader::read_context(
    std::string_view message, unsigned field) {
  StructReader structs(arena_);
  const auto bytes = structs.merged_field(message, field);
  if (!bytes) return refused(bytes.error());
  const auto context = structs.read(*bytes);
  if (!context) return refused(context.error());
  return EvaluationContext(*context);
}

std::expected<ResolveRequest, std::string> EvaluationRequestReader::read(std::string_view message) {
  reset();
  ResolveRequest request;
  ProtobufReader reader(message);
  while (reader.next()) {
    if (reader.is(kFlagKey, WireType::kBytes)) request.flag_key = reader.bytes();
  }
  if (!is_utf8(request.flag_key)) return refused("the flag's key is not UTF-8");
  auto context = read_context(message, kContext);
  if (!context) return std::unexpected(std::move(context.error()));
  request.context = *context;
  return request;
}

std::expected<EvaluationContext, std::string> EvaluationRequestReader::read_all(
    std::string_view message) {
  reset();
  return read_context(message, kContextOfAll);
}

std::expected<ResolveRequest, std::string> EvaluationRequestReader::read_json(
    std::string_view body, ContextReader& contexts) {
  const auto root = contexts.read_object(body);
  if (!root) return std::unexpected(root.error().message);
  ResolveRequest request;
  const Value* key = root->member("flagKey");
  if (key == nullptr) key = root->member("flag_key");
  if (key != nullptr && !key->is_null()) {
    if (!key->is_string()) return refused("\"flagKey\" is not a string");
    request.flag_key = key->as_string();
  }
  auto context = context_of(*root);
  if (!context) return std::unexpected(std::move(context.error()));
  request.context = *context;
  return request;
}

std::expected<EvaluationContext, std::string> EvaluationRequestReader::read_all_json(
    std::string_view body, ContextReader& contexts) {
  const auto root = contexts.read_object(body);
  if (!root) return std::unexpected(root.error().message);
  return context_of(*root);
}

}  // namespace flagstone::evaluation::flagd
