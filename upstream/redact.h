// URIs as people may see them. Pure.
#pragma once

#include <string>
#include <string_view>

namespace flagstone::upstream {

// Without user info and with the values of the query hidden, escaped so that a log line stays one
// line: `https://me:pw@host/x?token=s#f` is `https://host/x?token=***`.
std::string redacted_uri(std::string_view uri);

// `text` with every occurrence of `secret` hidden. Secrets under 4 bytes are left: hiding every "a"
// hides nothing and garbles the message.
std::string without_secret(std::string text, std::string_view secret);

}  // namespace flagstone::upstream
