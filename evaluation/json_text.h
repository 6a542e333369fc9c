// Building blocks for JSON text: appending strings, shrinking texts, reading strings back.
//
// Pure functions over bytes. Those that take JSON text require valid JSON (see json_syntax.h);
// nothing here fails. They allocate only when the string appended to must grow.
#pragma once

#include <string>
#include <string_view>

namespace flagstone::evaluation {

// Appends `text` as a JSON string with its quotes. Escapes what JSON demands (quote, backslash,
// control characters) and nothing else. REQUIRES: valid UTF-8.
void append_json_string(std::string& out, std::string_view text);

// Appends the value `json` without the spaces between its tokens. Every token keeps its spelling:
// `1.0` stays `1.0`, `"\u00e9"` stays escaped. REQUIRES: valid JSON.
void append_minified(std::string& out, std::string_view json);

// Appends what stands between the quotes of a JSON string, with its escapes resolved. REQUIRES:
// valid JSON; a lone surrogate escape becomes U+FFFD.
void append_unescaped(std::string& out, std::string_view between_quotes);

}  // namespace flagstone::evaluation
