// What a source's URI says. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flagstone::config {

// "https" of "https://…", in lower case; empty when there is none.
std::string uri_scheme(std::string_view uri);

// What speaks to a source, by the URI alone. gRPC is `grpc://HOST:PORT`, `grpcs://HOST:PORT`,
// `dns:HOST:PORT`, `dns:///HOST:PORT`, `unix:PATH`, `unix:///PATH`, `uds:` likewise, and
// `grpc+unix://%2FPATH`. Without a port it is 8015, over TLS 443.
enum class SourceKind : std::uint8_t { kUnknown, kFile, kHttp, kGrpc, kKubernetes };
SourceKind source_kind(std::string_view uri);

// In front of a FeatureFlag resource's NAMESPACE/NAME, or of its NAME in the pod's own namespace.
inline constexpr std::string_view kResourcePrefix = "core.openfeature.dev/";

// The path of a `file:` URI (`file:a/b.json`, `file:/a`, `file:///a`), relative ones seen from
// `folder` (empty: the working directory). Empty for other URIs.
std::string source_path(std::string_view uri, std::string_view folder);

// `path` seen from `folder`.
std::string path_from(std::string_view folder, std::string_view path);

// What is wrong with a source's URI, with the remedy; nothing when it can be used. Never quotes
// a user or password.
std::optional<std::string> uri_problem(std::string_view uri);

}  // namespace flagstone::config
