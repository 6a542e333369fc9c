// What a `Content-Type` says. Pure.
#pragma once

#include <string_view>

#include "net/ascii.h"

namespace flagstone::net {

// `application/json`, whatever its case and parameters; as nearly everybody writes it, first.
inline bool is_json_type(std::string_view content_type) {
  constexpr std::string_view kJson = "application/json";
  if (content_type == kJson) return true;
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ')) content_type.remove_suffix(1);
  return equal_ignoring_case(content_type, kJson);
}

}  // namespace flagstone::net
