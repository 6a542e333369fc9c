// Percent-encoding of paths and queries. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flagstone::net {

// Appends the decoded text; false on an escape that is none (and `out` is then unspecified). A plus
// sign stays one: only forms mean a space by it.
bool percent_decode(std::string_view text, std::string& out);

// Appends the text as a segment of a path or the value of a query's parameter: RFC 3986, unreserved
// characters stay.
void percent_encode(std::string_view text, std::string& out);

// The raw value of the first `name=value` in a query; the name is compared undecoded.
std::optional<std::string_view> query_parameter(std::string_view query, std::string_view name);

}  // namespace flagstone::net
