#include "sidecar/selector.h"

#include "evaluation/utf8.h"

namespace flagstone::sidecar {
namespace {

constexpr std::string_view kSetKey = "flagSetId";
constexpr std::string_view kSourceKey = "source";
// flagd names a file source without its scheme; an operator may well write it with.
constexpr std::string_view kFileScheme = "file:";

Selector of_source(std::string_view uri) {
  if (uri.starts_with(kFileScheme)) uri.remove_prefix(kFileScheme.size());
  return {Selector::Kind::kSource, uri};
}

}  // namespace

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
  if (equals == std::string_view::npos) return of_source(text);
  std::string_view key = text.substr(0, equals);
  std::string_view value = text.substr(equals + 1);
  if (key == kSetKey) return Selector{Kind::kSet, value};
  if (key == kSourceKey) return of_source(value);
  return std::unexpected("selector key `" + std::string(key) +
                         "` is unknown; use flagSetId=ID or source=URI");
}

}  // namespace flagstone::sidecar
