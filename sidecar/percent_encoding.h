// Percent-encoding of one path segment (RFC 3986, unreserved characters stay). Pure.
#pragma once

#include <string>
#include <string_view>

namespace flagstone::sidecar {

void append_percent_encoded(std::string& to, std::string_view text);

}  // namespace flagstone::sidecar
