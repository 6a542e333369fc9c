#include "upstream/flagd_sync_place.h"

#include <sys/un.h>

#include <algorithm>

#include "config/source_uri.h"
#include "net/percent.h"
#include "upstream/http_url.h"

namespace flagstone::upstream {
namespace {

using Place = std::expected<SyncPlace, std::string>;

constexpr std::string_view kFlagdSyncPort = ":8015";

Place socket_at(std::string path) {
  if (path.empty()) return std::unexpected("it names no socket");
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return std::unexpected("the socket's path is longer than a socket's can be");
  }
  return SyncPlace{"http://localhost", std::move(path)};
}

// `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`.
bool has_port(std::string_view authority) {
  const std::size_t bracket = authority.rfind(']');
  const std::size_t after = bracket == std::string_view::npos ? 0 : bracket;
  return authority.find(':', after) != std::string_view::npos;
}

Place host_at(std::string_view authority, bool tls) {
  while (authority.ends_with('/')) authority.remove_suffix(1);
  if (authority.find_first_of("/?#") != std::string_view::npos) {
    return std::unexpected("a path is no part of it: host and port are");
  }
  if (authority.find('@') != std::string_view::npos) {
    return std::unexpected("a user or password is no part of it: a credential is");
  }
  std::string url = (tls ? "https://" : "http://") + std::string(authority);
  if (!tls && !has_port(authority)) url += kFlagdSyncPort;
  if (!HttpUrl::parse(url)) return std::unexpected("it names no host and port");
  return SyncPlace{std::move(url), {}};
}

}  // namespace

bool is_sync_uri(std::string_view uri) {
  const std::string scheme = config::uri_scheme(uri);
  static constexpr std::string_view kSchemes[] = {"grpc", "grpcs", "dns",
                                                  "unix", "uds",   "grpc+unix"};
  return std::ranges::find(kSchemes, scheme) != std::end(kSchemes);
}

std::expected<SyncPlace, std::string> sync_place(std::string_view uri) {
  const std::string scheme = config::uri_scheme(uri);
  std::string_view rest = uri.substr(scheme.size() + 1);
  const bool slashes = rest.starts_with("//");
  if (scheme == "unix" || scheme == "uds") {
    // `unix:///run/x` is `unix:/run/x`; between two slashes and the third there would be a host.
    if (slashes) rest.remove_prefix(2);
    if (slashes && !rest.starts_with('/')) return std::unexpected("it names a host, not a path");
    return socket_at(std::string(rest));
  }
  if (scheme == "dns") {
    // gRPC's own form: `dns://SERVER/HOST:PORT`, of which the server may be left out.
    if (slashes && !rest.starts_with("///")) {
      return std::unexpected("it names a name server; write `dns:///HOST:PORT`");
    }
    return host_at(slashes ? rest.substr(3) : rest, false);
  }
  if (!slashes) return std::unexpected("write `" + scheme + "://`");
  rest.remove_prefix(2);
  if (scheme != "grpc+unix") return host_at(rest, scheme == "grpcs");
  std::string path;
  while (rest.ends_with('/')) rest.remove_suffix(1);
  if (!net::percent_decode(rest, path)) return std::unexpected("its percent-encoding is broken");
  return socket_at(std::move(path));
}

}  // namespace flagstone::upstream
