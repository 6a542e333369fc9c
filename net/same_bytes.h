// Whether two texts are the same, where it is asked often: compilers leave string_view's own
// comparison a call of a call. Pure.
#pragma once

#include <cstring>
#include <string_view>

namespace flagstone::net {

inline bool same_bytes(std::string_view a, std::string_view b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace flagstone::net
