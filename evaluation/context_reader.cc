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

}  // namespace

struct ContextReader::Impl {
  // The context may be nested kMaxJsonDepth deep inside the body's own object.
  JsonReader json{kMaxJsonDepth + 1};
  Arena arena;

  std::expected<Value, ContextError> read(std::string_view body) {
    arena.reset();
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
