#include "sidecar/routing.h"

#include <algorithm>
#include <optional>
#include <span>

#include "cache/state_files.h"

namespace flagstone::sidecar {
namespace {

using cache::Routes;

// "Bearer x" and any other scheme: what stands behind the first space; raw tokens as they are.
std::string_view without_scheme(std::string_view authorization) {
  std::size_t space = authorization.find(' ');
  if (space == std::string_view::npos) return authorization;
  std::string_view rest = authorization.substr(space);
  std::size_t start = rest.find_first_not_of(' ');
  return start == std::string_view::npos ? std::string_view() : rest.substr(start);
}

// Of those that an earlier process knew, their hashes alone are left: the environments that it
// would open by now.
Routes::Opened find_former(const Routes& routes, std::string_view credential) {
  Routes::Opened found;
  for (const Routes::Former& former : routes.former) {
    if (cache::credential_hash(former.salt, credential) != former.hash) continue;
    found.all.push_back(former.environment);
  }
  return found;
}

// What a credential opens, seen from the request's listener.
class Opening {
 public:
  Opening(const Routes& routes, const net::Request& request) : routes_(routes) {
    if (request.listener_index < routes.by_listener.size()) {
      bound_ = routes.by_listener[request.listener_index];
    }
  }

  const std::optional<std::uint32_t>& bound() const { return bound_; }

  // False: it opens nothing.
  bool look_up(std::string_view credential) {
    if (credential.empty()) return false;
    const auto known = routes_.by_credential.find(credential);
    if (known != routes_.by_credential.end()) {
      opened_ = &known->second;
      return true;
    }
    if (routes_.former.empty()) return false;
    former_ = find_former(routes_, credential);
    if (former_.all.empty()) return false;
    former_.is_former = true;
    former_.environment = former_.all.front();
    const auto whole = std::ranges::find_if(former_.all, [&](std::uint32_t environment) {
      return payload_filter_of(routes_, environment).empty();
    });
    if (whole != former_.all.end()) former_.environment = *whole;
    opened_ = &former_;
    return true;
  }

  // REQUIRES: look_up() found it. Empty: the listener is bound to none of them.
  std::span<const std::uint32_t> environments() const {
    const std::span<const std::uint32_t> all =
        opened_->all.empty() ? std::span(&opened_->environment, 1) : std::span(opened_->all);
    if (!bound_) return all;
    const auto at = std::ranges::find(all, *bound_);
    return at == all.end() ? std::span<const std::uint32_t>()
                           : all.subspan(static_cast<std::size_t>(at - all.begin()), 1);
  }
  Route route_to(std::uint32_t environment) const { return {environment, opened_->is_former}; }
  // Where nothing says which of them.
  Route route() const { return route_to(opened_->environment); }

 private:
  const Routes& routes_;
  std::optional<std::uint32_t> bound_;
  const Routes::Opened* opened_ = nullptr;
  Routes::Opened former_;
};

RoutingError unknown(const Routes& routes, std::string_view credential) {
  if (credential.empty()) return RoutingError::kForeignCredential;
  return routes.awaits_credentials ? RoutingError::kUnreadCredential
                                   : RoutingError::kUnknownCredential;
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
    case RoutingError::kUnknownFilter:
      return "no environment of this key has that payload filter";
    case RoutingError::kFilterNeeded:
      return "every environment of this key has a payload filter, and the request names none";
  }
  return "no environment";
}

std::string_view presented_credential(const net::Request& request) {
  if (auto authorization = request.header("authorization")) return without_scheme(*authorization);
  return request.header("x-api-key").value_or(std::string_view());
}

std::expected<Route, RoutingError> find_environment(const Routes& routes,
                                                    const net::Request& request,
                                                    bool may_fall_back) {
  Opening opening(routes, request);
  if (!routes.by_credential.empty() || !may_fall_back) {
    const std::string_view credential = presented_credential(request);
    if (opening.look_up(credential)) {
      if (!opening.bound()) return opening.route();
      if (opening.environments().empty()) {
        return std::unexpected(RoutingError::kForeignCredential);
      }
      return opening.route_to(*opening.bound());
    }
    if (!may_fall_back) return std::unexpected(unknown(routes, credential));
  }
  if (opening.bound()) return Route{.environment = *opening.bound()};
  if (routes.default_environment) return Route{.environment = *routes.default_environment};
  return std::unexpected(RoutingError::kAmbiguous);
}

std::expected<FilteredRoute, RoutingError> find_filtered_environment(const Routes& routes,
                                                                     const net::Request& request,
                                                                     std::string_view filter) {
  Opening opening(routes, request);
  const std::string_view credential = presented_credential(request);
  if (!opening.look_up(credential)) return std::unexpected(unknown(routes, credential));
  const std::span<const std::uint32_t> environments = opening.environments();
  if (environments.empty()) return std::unexpected(RoutingError::kForeignCredential);
  const auto with = [&](std::string_view wanted) {
    return std::ranges::find_if(environments, [&](std::uint32_t environment) {
      return payload_filter_of(routes, environment) == wanted;
    });
  };
  if (const auto exact = with(filter); exact != environments.end()) {
    return FilteredRoute{.route = opening.route_to(*exact)};
  }
  // Where SDKs give up for good: another environment may have this key, too.
  const auto refused = [&](RoutingError error) {
    return std::unexpected(routes.awaits_credentials ? RoutingError::kUnreadCredential : error);
  };
  if (!filter.empty()) {
    const auto whole = with({});
    if (whole == environments.end()) return refused(RoutingError::kUnknownFilter);
    return FilteredRoute{.route = opening.route_to(*whole), .match = FilterMatch::kUnfiltered};
  }
  const std::uint32_t first = environments.front();
  const bool is_only_one = std::ranges::all_of(environments, [&](std::uint32_t environment) {
    return payload_filter_of(routes, environment) == payload_filter_of(routes, first);
  });
  if (!is_only_one) return refused(RoutingError::kFilterNeeded);
  return FilteredRoute{.route = opening.route_to(first), .match = FilterMatch::kFilteredOnly};
}

std::optional<std::uint32_t> add_credential(Routes& routes, const std::string& credential,
                                            std::uint32_t environment) {
  const auto [at, added] = routes.by_credential.try_emplace(credential);
  Routes::Opened& opened = at->second;
  if (added) {
    opened.environment = environment;
    return std::nullopt;
  }
  if (opened.environment == environment) return std::nullopt;
  if (opened.all.empty()) opened.all.push_back(opened.environment);
  if (std::ranges::find(opened.all, environment) != opened.all.end()) return std::nullopt;
  const std::string_view filter = payload_filter_of(routes, environment);
  const auto same = std::ranges::find_if(
      opened.all, [&](std::uint32_t other) { return payload_filter_of(routes, other) == filter; });
  const std::uint32_t before = same == opened.all.end() ? opened.all.front() : *same;
  opened.all.push_back(environment);
  const bool has_whole = payload_filter_of(routes, opened.environment).empty();
  if (filter.empty() && !has_whole) opened.environment = environment;
  return before;
}

void add_former_credential(Routes& routes, const std::string& credential,
                           std::uint32_t environment) {
  const auto [at, added] = routes.by_credential.try_emplace(credential);
  Routes::Opened& opened = at->second;
  if (added) {
    opened.environment = environment;
    opened.is_former = true;
    return;
  }
  const std::string_view filter = payload_filter_of(routes, environment);
  const auto is_taken = [&](std::uint32_t other) {
    return payload_filter_of(routes, other) == filter;
  };
  if (is_taken(opened.environment) || std::ranges::any_of(opened.all, is_taken)) return;
  (void)add_credential(routes, credential, environment);
}

std::string_view payload_filter_of(const Routes& routes, std::uint32_t environment) {
  return environment < routes.filters.size() ? std::string_view(routes.filters[environment])
                                             : std::string_view();
}

}  // namespace flagstone::sidecar
