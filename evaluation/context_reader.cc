#include "evaluation/context_reader.h"

#include "evaluation/arena.h"
#include "evaluation/dialect.h"
#include "evaluation/json_reader.h"

namespace flagstone::evaluation {
namespace {

std::string about(std::string_view name, std::string_view what) {
  std::string message = "\"";
  return message.append(name).append("\"").append(what);
}

// Shorter bodies cannot have more values than kContextValuesMax.
constexpr std::size_t kCountedFromBytes = 2 * kContextValuesMax;

// Of what may be no JSON at all: what begins values, outside of strings.
std::size_t count_values(std::string_view body) {
  std::size_t count = 1;
  bool in_string = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (c == '"') in_string = !in_string;
    if (in_string && c == '\\') ++i;
    if (!in_string && (c == ',' || c == '[' || c == '{')) ++count;
  }
  return count;
}

}  // namespace

struct ContextReader::Impl {
  // The context may be nested kJsonDepthMax deep inside the body's own object.
  JsonReader json{kJsonDepthMax + 1};
  Arena arena;

  std::expected<Value, ContextError> read(std::string_view body) {
    arena.reset();
    if (body.size() > kCountedFromBytes && count_values(body) > kContextValuesMax) {
      return std::unexpected(
          ContextError{ContextError::Kind::kTooLarge,
                       "the body has more than " + std::to_string(kContextValuesMax) + " values"});
    }
    auto root = json.read(body, arena);
    if (!root) {
      return std::unexpected(
          ContextError{ContextError::Kind::kMalformedJson, std::move(root.error().message)});
    }
    if (!root->is_object()) {
      return std::unexpected(
          ContextError{ContextError::Kind::kNotAnObject, "the body is not a JSON object"});
    }
    return *root;
  }
};

ContextReader::ContextReader() : impl_(std::make_unique<Impl>()) {}
ContextReader::~ContextReader() = default;

std::size_t ContextReader::bytes() const { return sizeof(Impl) + impl_->arena.bytes(); }

void ContextReader::shrink() { impl_ = std::make_unique<Impl>(); }

std::expected<EvaluationContext, ContextError> ContextReader::read_member(std::string_view body,
                                                                          std::string_view name) {
  auto root = impl_->read(body);
  if (!root) return std::unexpected(std::move(root.error()));
  const Value* context = root->member(name);
  if (context == nullptr) {
    return std::unexpected(ContextError{ContextError::Kind::kMissing, about(name, " is missing")});
  }
  if (!context->is_object()) {
    return std::unexpected(
        ContextError{ContextError::Kind::kNotAnObject, about(name, " is not a JSON object")});
  }
  return EvaluationContext(*context);
}

std::expected<EvaluationContext, ContextError> ContextReader::read(std::string_view body) {
  auto root = impl_->read(body);
  if (!root) return std::unexpected(std::move(root.error()));
  return EvaluationContext(*root);
}

std::expected<Value, ContextError> ContextReader::read_object(std::string_view body) {
  return impl_->read(body);
}

}  // namespace flagstone::evaluation
