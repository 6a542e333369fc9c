#include "sidecar/routing.h"

#include "cache/state_files.h"

namespace flagstone::sidecar {
namespace {

// "Bearer x" and any other scheme: what stands behind the first space; raw tokens as they are.
std::string_view without_scheme(std::string_view authorization) {
  std::size_t space = authorization.find(' ');
  if (space == std::string_view::npos) return authorization;
  std::string_view rest = authorization.substr(space);
  std::size_t start = rest.find_first_not_of(' ');
  return start == std::string_view::npos ? std::string_view() : rest.substr(start);
}

// Of those that an earlier process knew, their hashes alone are left.
std::optional<std::uint32_t> find_former(const cache::Routes& routes, std::string_view credential) {
  for (const cache::Routes::Former& former : routes.former) {
    if (cache::credential_hash(former.salt, credential) == former.hash) return former.environment;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> find_credential(const cache::Routes& routes,
                                             std::string_view credential) {
  if (credential.empty()) return std::nullopt;
  const auto known = routes.by_credential.find(credential);
  if (known != routes.by_credential.end()) return known->second;
  return find_former(routes, credential);
}

}  // namespace

std::string_view describe(RoutingError error) {
  switch (error) {
    case RoutingError::kForeignCredential:
    case RoutingError::kUnknownCredential:
      return "this credential does not open the environment that is served here";
    case RoutingError::kUnreadCredential:
      return "not all credentials that are configured here could be read yet";
    case RoutingError::kAmbiguous:
      return "several environments are served and none is called `default`; send the credential of "
             "one as `Authorization: Bearer …` or `X-API-Key`";
  }
  return "no environment";
}

std::string_view presented_credential(const net::Request& request) {
  if (auto authorization = request.header("authorization")) return without_scheme(*authorization);
  return request.header("x-api-key").value_or(std::string_view());
}

std::expected<std::size_t, RoutingError> find_environment(const cache::Routes& routes,
                                                          const net::Request& request,
                                                          bool may_fall_back) {
  std::optional<std::uint32_t> bound;
  if (request.listener_index < routes.by_listener.size()) {
    bound = routes.by_listener[request.listener_index];
  }
  std::optional<std::uint32_t> named;
  if (!routes.by_credential.empty() || !may_fall_back) {
    std::string_view credential = presented_credential(request);
    named = find_credential(routes, credential);
    if (!named && !may_fall_back) {
      if (credential.empty()) return std::unexpected(RoutingError::kForeignCredential);
      return std::unexpected(routes.awaits_credentials ? RoutingError::kUnreadCredential
                                                       : RoutingError::kUnknownCredential);
    }
  }
  if (bound) {
    if (named && *named != *bound) return std::unexpected(RoutingError::kForeignCredential);
    return *bound;
  }
  if (named) return *named;
  if (routes.default_environment) return *routes.default_environment;
  return std::unexpected(RoutingError::kAmbiguous);
}

}  // namespace flagstone::sidecar
