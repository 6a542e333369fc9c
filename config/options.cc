#include "config/options.h"

#include <algorithm>

namespace flagstone::config {

std::string to_string(const Origin& origin) {
  switch (origin.kind) {
    case Origin::Kind::kDefault:
      return "default";
    case Origin::Kind::kFile:
      return origin.line == 0 ? origin.name : origin.name + ":" + std::to_string(origin.line);
    case Origin::Kind::kVariable:
    case Origin::Kind::kOption:
      break;
  }
  return origin.name;
}

Origin Origins::find(std::string_view path) const {
  while (!path.empty()) {
    if (const auto found = by_path.find(path); found != by_path.end()) {
      return found->second;
    }
    const std::size_t parent = path.find_last_of(".[");
    path = path.substr(0, parent == std::string_view::npos ? 0 : parent);
  }
  return {};
}

const Environment* Options::find_environment(std::string_view name) const {
  const auto found = std::ranges::find(environments, name, &Environment::name);
  return found == environments.end() ? nullptr : &*found;
}

}  // namespace flagstone::config
