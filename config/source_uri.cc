#include "config/source_uri.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace flagstone::config {
namespace {

constexpr std::string_view kFile = "file:";

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
  return std::nullopt;
}

// The socket's path stands, percent-encoded, where a host would.
std::optional<std::string> socket_problem(std::string_view uri) {
  const std::string_view authority = authority_of(uri);
  if (!authority.starts_with("%2F") && !authority.starts_with("%2f")) {
    return "`" + std::string(uri) +
           "` names no socket, write `http+unix://%2Frun%2Fflags.sock/PATH`";
  }
  return std::nullopt;
}

}  // namespace

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
  constexpr std::string_view kKnown = ", known are `file:`, `http:`, `https:` and `http+unix:`";
  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; };
  const std::string scheme = uri_scheme(uri);
  if (scheme == "file") {
    return file_problem(uri);
  }
  if (scheme == "http" || scheme == "https" || scheme == "http+unix") {
    if (std::ranges::any_of(uri, is_blank)) {
      return "the URI contains a space or control character, write it percent-encoded";
    }
    return scheme == "http+unix" ? socket_problem(uri) : network_problem(uri, scheme);
  }
  if (scheme.empty() && uri.contains('@')) {
    // May be a password in front of a host, so it is not quoted.
    return "the URI has no scheme" + std::string(kKnown);
  }
  if (scheme.empty()) {
    return "`" + std::string(uri) + "` has no scheme, write `file:" + std::string(uri) +
           "` for a file";
  }
  return "`" + scheme + ":` is not a source that can be read" + std::string(kKnown);
}

}  // namespace flagstone::config
