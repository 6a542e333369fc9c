#include "config/source_uri.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <filesystem>

#include "config/address.h"

namespace flagstone::config {
namespace {

constexpr std::string_view kFile = "file:";
constexpr unsigned kPortMax = 65535;
constexpr std::array<std::string_view, 3> kDocumentEndings = {".json", ".yaml", ".yml"};

bool is_port(std::string_view text) {
  unsigned port = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, port);
  return error == std::errc() && rest == end && port > 0 && port <= kPortMax;
}

bool is_scheme_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' || c == '.';
}

std::string_view authority_of(std::string_view uri) {
  const std::size_t start = uri.find("//");
  if (start == std::string_view::npos) {
    return {};
  }
  const std::string_view rest = uri.substr(start + 2);
  return rest.substr(0, rest.find_first_of("/?#"));
}

std::optional<std::string> file_problem(std::string_view uri) {
  const std::string_view path = uri.substr(kFile.size());
  if (path.empty() || path == "//") {
    return "`file:` needs a path, like `file:/etc/flags.json`";
  }
  if (path.starts_with("//") && !path.starts_with("///")) {
    return "`" + std::string(uri) + "` names a host, write `file:/path` or `file:relative/path`";
  }
  return std::nullopt;
}

// The authority's port, if it has one, must be one.
std::optional<std::string> port_problem(std::string_view authority) {
  const std::size_t colon = authority.find(':', authority.rfind(']') + 1);
  if (colon == std::string_view::npos || colon + 1 == authority.size()) {
    return std::nullopt;
  }
  const std::string port(authority.substr(colon + 1));
  if (!is_port(port)) {
    return "`" + port + "` is not a port, they go from 1 to 65535";
  }
  return std::nullopt;
}

std::optional<std::string> network_problem(std::string_view uri, const std::string& scheme) {
  const std::string_view authority = authority_of(uri);
  if (authority.find('@') != std::string_view::npos) {
    return "the URI contains a user or password, put the secret into a file and name it with "
           "`credential_file`";
  }
  if (!uri.substr(scheme.size()).starts_with("://") || authority.empty() ||
      authority.starts_with(':')) {
    return "`" + std::string(uri) + "` has no host, write `" + scheme + "://HOST/PATH`";
  }
  return port_problem(authority);
}

// The socket's path stands, percent-encoded, where a host would.
std::optional<std::string> socket_problem(std::string_view uri, const std::string& scheme) {
  const std::string_view authority = authority_of(uri);
  if (!authority.starts_with("%2F") && !authority.starts_with("%2f")) {
    return "`" + std::string(uri) + "` names no socket, write `" + scheme +
           "://%2Frun%2Fflags.sock" + (scheme == "http+unix" ? "/PATH`" : "`");
  }
  return std::nullopt;
}

constexpr std::string_view kKnown =
    ", known are `file:`, `http:`, `https:`, `http+unix:`, `grpc:`, `grpcs:`, `unix:` and "
    "`core.openfeature.dev/`";

bool is_blank(char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; }

bool is_grpc_scheme(std::string_view scheme) {
  return scheme == "grpc" || scheme == "grpcs" || scheme == "dns" || scheme == "unix" ||
         scheme == "uds" || scheme == "grpc+unix";
}

// What stands behind the scheme, and behind an authority that is empty (`dns:///`, `unix:///`).
std::string_view behind(std::string_view uri, std::string_view scheme) {
  std::string_view rest = uri.substr(scheme.size() + 1);
  if (scheme == "dns" && rest.starts_with("///")) {
    return rest.substr(3);
  }
  if ((scheme == "unix" || scheme == "uds") && rest.starts_with("///")) {
    return rest.substr(2);
  }
  return rest;
}

std::optional<std::string> grpc_socket_problem(std::string_view path, const std::string& scheme) {
  if (path.empty() || path.starts_with("//")) {
    return "`" + scheme + ":" + std::string(path) + "` names no socket, write `" + scheme +
           ":/run/flags.sock`";
  }
  return address_problem("unix:" + std::string(path));
}

std::optional<std::string> grpc_host_problem(std::string_view uri, const std::string& scheme) {
  std::string_view address = behind(uri, scheme);
  const bool has_slashes = address.starts_with("//");
  if (has_slashes && scheme != "dns") {
    address.remove_prefix(2);
  }
  if (address.ends_with('/')) {
    address.remove_suffix(1);
  }
  if (address.contains('@')) {
    return "the URI contains a user or password, put the secret into a file and name it with "
           "`credential_file`";
  }
  const bool has_port = address.find(':', address.rfind(']') + 1) != std::string_view::npos;
  const std::string whole = std::string(address) + (has_port ? "" : ":1");
  if (has_slashes == (scheme == "dns") || address_problem(whole) || is_tls_address(whole)) {
    const std::string shape = scheme == "dns" ? "dns:HOST:PORT" : scheme + "://HOST:PORT";
    return "`" + std::string(uri) + "` names no host and port, write `" + shape + "`";
  }
  return std::nullopt;
}

std::optional<std::string> grpc_problem(std::string_view uri, const std::string& scheme) {
  if (std::ranges::any_of(uri, is_blank)) {
    return "the URI contains a space or control character";
  }
  if (scheme == "grpc+unix") {
    return socket_problem(uri, scheme);
  }
  if (scheme == "unix" || scheme == "uds") {
    return grpc_socket_problem(behind(uri, scheme), scheme);
  }
  return grpc_host_problem(uri, scheme);
}

// RFC 1123's name, as Kubernetes names its objects.
bool is_object_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

std::optional<std::string> resource_problem(std::string_view uri) {
  const std::string_view rest = uri.substr(kResourcePrefix.size());
  const std::size_t slash = rest.find('/');
  const std::string_view name = slash == std::string_view::npos ? rest : rest.substr(slash + 1);
  const bool has_namespace = slash != std::string_view::npos;
  if (is_object_name(name) && (!has_namespace || is_object_name(rest.substr(0, slash)))) {
    return std::nullopt;
  }
  return "`" + std::string(uri) +
         "` names no FeatureFlag resource, write `core.openfeature.dev/NAMESPACE/NAME`";
}

// Schemes of flagd's that are not read here, with what to do instead.
std::optional<std::string> unsupported_problem(const std::string& scheme) {
  if (scheme == "gs" || scheme == "azblob" || scheme == "s3") {
    return "`" + scheme +
           ":` is not read, write the object's `https:` address: one that is public " +
           "or pre-signed, or with `credential_file`";
  }
  if (scheme == "xds" || scheme == "envoy") {
    return "`" + scheme + ":` is not read, write `grpc://HOST:PORT` or `grpcs://HOST:PORT`";
  }
  return std::nullopt;
}

bool names_document(std::string_view text) {
  return std::ranges::any_of(kDocumentEndings,
                             [&](std::string_view ending) { return text.ends_with(ending); });
}

// Whether somebody left out the scheme of a host: `flags.example.com/x`, but not `flags.json` or
// `conf.d/x`.
bool is_bare_host(std::string_view text) {
  const std::string_view host = text.substr(0, text.find('/'));
  const std::size_t dot = host.rfind('.');
  return dot != std::string_view::npos && dot > 0 && host.size() - dot > 2 &&
         std::ranges::all_of(host, is_scheme_char) && !names_document(host);
}

// `relay:8030/x`: what looks like a scheme is the host.
bool is_bare_host_and_port(std::string_view text) {
  const std::string_view authority = text.substr(0, text.find('/'));
  return is_port(authority.substr(authority.find(':') + 1));
}

std::string no_scheme(std::string_view uri) {
  const std::string text(uri);
  const std::string problem = "`" + text + "` has no scheme, write `";
  if (is_bare_host(uri)) {
    return problem + "https://" + text + "`" +
           (names_document(uri) ? ", or `file:" + text + "` for a file" : "");
  }
  return problem + "file:" + text + "` for a file";
}

}  // namespace

SourceKind source_kind(std::string_view uri) {
  if (uri.starts_with(kResourcePrefix)) {
    return SourceKind::kKubernetes;
  }
  const std::string scheme = uri_scheme(uri);
  if (scheme == "file") {
    return SourceKind::kFile;
  }
  if (scheme == "http" || scheme == "https" || scheme == "http+unix") {
    return SourceKind::kHttp;
  }
  return is_grpc_scheme(scheme) ? SourceKind::kGrpc : SourceKind::kUnknown;
}

std::string uri_scheme(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  if (colon == std::string_view::npos || colon == 0 ||
      !std::ranges::all_of(uri.substr(0, colon), is_scheme_char)) {
    return {};
  }
  std::string scheme(uri.substr(0, colon));
  std::ranges::transform(scheme, scheme.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return scheme;
}

std::string path_from(std::string_view folder, std::string_view path) {
  if (folder.empty() || path.empty()) {
    return std::string(path);
  }
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

std::string source_path(std::string_view uri, std::string_view folder) {
  if (uri_scheme(uri) != "file" || file_problem(uri)) {
    return {};
  }
  std::string_view path = uri.substr(kFile.size());
  if (path.starts_with("///")) {
    path.remove_prefix(2);
  }
  return path_from(folder, path);
}

std::optional<std::string> uri_problem(std::string_view uri) {
  const std::string scheme = uri_scheme(uri);
  switch (source_kind(uri)) {
    case SourceKind::kFile:
      return file_problem(uri);
    case SourceKind::kHttp:
      if (std::ranges::any_of(uri, is_blank)) {
        return "the URI contains a space or control character, write it percent-encoded";
      }
      return scheme == "http+unix" ? socket_problem(uri, scheme) : network_problem(uri, scheme);
    case SourceKind::kGrpc:
      return grpc_problem(uri, scheme);
    case SourceKind::kKubernetes:
      return resource_problem(uri);
    case SourceKind::kUnknown:
      break;
  }
  if (scheme.empty() && uri.contains('@')) {
    // May be a password in front of a host, so it is not quoted.
    return "the URI has no scheme" + std::string(kKnown);
  }
  if (scheme.empty()) {
    return no_scheme(uri);
  }
  if (is_bare_host_and_port(uri)) {
    const std::string text(uri);
    return "`" + text + "` has no scheme, write `https://" + text + "`, `http://" + text +
           "` or, for gRPC, `grpc://" + text + "`";
  }
  if (auto problem = unsupported_problem(scheme)) {
    return problem;
  }
  return "`" + scheme + ":` is not a source that can be read" + std::string(kKnown);
}

}  // namespace flagstone::config
