// The context of an evalx request as JSON: from the request's body, or from its path in base64url.
//
// Pure functions. Source: ld-relay internal/middleware (ContextFromBase64).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flagstone::sidecar {

// Both alphabets, padded or not. nullopt: it is none.
std::optional<std::string> decode_base64url(std::string_view text);

// `application/json`, whatever parameters stand behind it.
bool is_json_type(std::string_view content_type);

}  // namespace flagstone::sidecar
