// What a source's URI says. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flagstone::config {

// "https" of "https://…", in lower case; empty when there is none.
std::string uri_scheme(std::string_view uri);

// The path of a `file:` URI (`file:a/b.json`, `file:/a`, `file:///a`), relative ones seen from
// `folder` (empty: the working directory). Empty for other URIs.
std::string source_path(std::string_view uri, std::string_view folder);

// `path` seen from `folder`.
std::string path_from(std::string_view folder, std::string_view path);

// What is wrong with a source's URI, with the remedy; nothing when it can be used. Never quotes
// a user or password.
std::optional<std::string> uri_problem(std::string_view uri);

}  // namespace flagstone::config
