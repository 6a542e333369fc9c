#include "sidecar/selector.h"

#include <array>

#include "evaluation/utf8.h"

namespace flagstone::sidecar {
namespace {

constexpr std::string_view kSetKey = "flagSetId";
constexpr std::string_view kSourceKey = "source";
// What flagd leaves out of a source's name; an operator may well write it.
constexpr std::array<std::string_view, 4> kUnnamedSchemes = {"file:", "grpc://", "grpcs://",
                                                             "core.openfeature.dev/"};

}  // namespace

std::string_view source_name(std::string_view uri) {
  for (std::string_view scheme : kUnnamedSchemes) {
    if (uri.starts_with(scheme)) return uri.substr(scheme.size());
  }
  return uri;
}

std::string_view Selector::member_name() const {
  switch (kind) {
    case Kind::kEverything:
      return {};
    case Kind::kSet:
      return kSetKey;
    case Kind::kSource:
      return kSourceKey;
  }
  return {};
}

std::expected<Selector, std::string> Selector::parse(std::string_view text) {
  if (text.empty()) return Selector{};
  if (!evaluation::is_utf8(text)) return std::unexpected("the selector is not UTF-8");
  std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return Selector{Selector::Kind::kSource, source_name(text)};
  }
  std::string_view key = text.substr(0, equals);
  std::string_view value = text.substr(equals + 1);
  if (key == kSetKey) return Selector{Kind::kSet, value};
  if (key == kSourceKey) return Selector{Selector::Kind::kSource, source_name(value)};
  return std::unexpected("selector key `" + std::string(key) +
                         "` is unknown; use flagSetId=ID or source=URI");
}

}  // namespace flagstone::sidecar
