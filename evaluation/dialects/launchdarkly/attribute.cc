#include "evaluation/dialects/launchdarkly/attribute.h"

#include <algorithm>
#include <optional>

namespace flagstone::evaluation::launchdarkly {
namespace {

using Kind = Attribute::Kind;

// `~0` is `~`, `~1` is `/`; any other tilde is an error.
std::optional<std::string_view> unescape(std::string_view part, Arena& arena) {
  if (part.find('~') == std::string_view::npos) return part;
  const auto plain = arena.make_array<char>(part.size());
  std::size_t size = 0;
  for (std::size_t i = 0; i < part.size(); ++i) {
    char c = part[i];
    if (c == '~') {
      ++i;
      if (i == part.size() || (part[i] != '0' && part[i] != '1')) return std::nullopt;
      c = part[i] == '0' ? '~' : '/';
    }
    plain[size++] = c;
  }
  return std::string_view(plain.data(), size);
}

Kind kind_of(std::string_view name) {
  if (name == "kind") return Kind::kKind;
  if (name == "key") return Kind::kKey;
  if (name == "name") return Kind::kName;
  if (name == "anonymous") return Kind::kAnonymous;
  if (name == "_meta") return Kind::kNever;
  return Kind::kCustom;
}

Attribute read_path(std::string_view path, Arena& arena) {
  const auto parts = static_cast<std::size_t>(std::count(path.begin(), path.end(), '/')) + 1;
  const auto names = arena.make_array<std::string_view>(parts);
  for (std::string_view& name : names) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), part.size() + 1));
    const auto plain = unescape(part, arena);
    if (part.empty() || !plain) return {.kind = Kind::kInvalid, .name = {}, .deeper = {}};
    name = *plain;
  }
  Kind kind = kind_of(names.front());
  // Built-ins are no objects.
  if (parts > 1 && kind != Kind::kCustom) kind = Kind::kNever;
  return {.kind = kind, .name = names.front(), .deeper = names.subspan(1)};
}

}  // namespace

Attribute read_attribute(std::string_view text, bool is_reference, Arena& arena) {
  if (text.empty()) return {};
  if (text == "kind") return {.kind = Kind::kContextKinds, .name = text, .deeper = {}};
  if (!is_reference || text.front() != '/') {
    return {.kind = kind_of(text), .name = text, .deeper = {}};
  }
  return read_path(text.substr(1), arena);
}

}  // namespace flagstone::evaluation::launchdarkly
