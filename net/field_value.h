// What may stand in a field of an answer. Pure.
#pragma once

#include <string_view>

namespace flagstone::net {

// Values may come from an operator's or vendor's data: a line break in one would forge fields.
// Looks at every byte whatever it finds: with no way out and nothing wider than a byte, compilers
// look at many at once.
inline bool is_safe_field_value(std::string_view value) {
  unsigned char wrong = 0;
  for (const char c : value) wrong |= c == '\r' || c == '\n' || c == '\0';
  return wrong == 0;
}

}  // namespace flagstone::net
