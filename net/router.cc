#include "net/router.h"

#include <algorithm>
#include <cassert>

#include "net/percent.h"
#include "net/same_bytes.h"

namespace flagstone::net {

void Router::add_route(Method method, std::string_view pattern, Endpoint endpoint) {
  const std::size_t brace = pattern.find('{');
  const bool has_parameter = brace != std::string_view::npos;
  assert(pattern.starts_with('/') && (!has_parameter || pattern.ends_with('}')));
  assert(!has_parameter || pattern[brace - 1] == '/');
  last_route_ = nullptr;

  const std::string_view path = pattern.substr(0, brace);
  Route& route = has_parameter ? route_with_parameter(path) : exact_[std::string(path)];
  Endpoint& place = route.endpoints[static_cast<std::size_t>(method)];
  assert(place.call == nullptr && "two apis claim the same method and path");
  place = endpoint;
  if (!route.allow.empty()) route.allow += ", ";
  route.allow += to_string(method);
  if (method == Method::kGet) route.allow += ", HEAD";
}

Router::Route& Router::route_with_parameter(std::string_view path) {
  for (Route& route : with_parameter_) {
    if (route.path == path) return route;
  }
  return with_parameter_.emplace_back(Route{std::string(path), {}, {}});
}

const Router::Route* Router::find_with_parameter(std::string_view path) const {
  for (const Route& route : with_parameter_) {
    if (path.size() <= route.path.size() || !path.starts_with(route.path)) continue;
    if (path.find('/', route.path.size()) == std::string_view::npos) return &route;
  }
  return nullptr;
}

const Router::Route* Router::find(std::string_view path) const {
  const auto exact = exact_.find(path);
  return exact == exact_.end() ? find_with_parameter(path) : &exact->second;
}

// Of the pattern, if it has one, for the path and the route to be the last ones.
bool Router::read_parameter(const Route& route, std::string_view path) {
  last_route_ = nullptr;
  parameter_.clear();
  const bool has_parameter = !route.path.empty();
  if (has_parameter && !percent_decode(path.substr(route.path.size()), parameter_)) return false;
  if (path.size() > kLastPathBytesMax) return true;
  last_path_ = path;
  last_route_ = &route;
  return true;
}

void Router::handle(const Request& request, Response& response) {
  const bool is_last = last_route_ != nullptr && same_bytes(request.path, last_path_);
  const Route* route = is_last ? last_route_ : find(request.path);
  if (route == nullptr) {
    refuse({.status = 404, .reason = "there is nothing at this path", .headers = {}}, request,
           response);
    return;
  }
  const Method method =
      request.method == Method::kHead &&
              route->endpoints[static_cast<std::size_t>(Method::kHead)].call == nullptr
          ? Method::kGet
          : request.method;
  const Endpoint& endpoint = route->endpoints[static_cast<std::size_t>(method)];
  if (endpoint.call == nullptr) {
    const HeaderField allow{"Allow", route->allow};
    refuse({.status = 405, .reason = "this path does not take that method", .headers = {&allow, 1}},
           request, response);
    return;
  }
  if (!is_last && !read_parameter(*route, request.path)) {
    refuse({.status = 400, .reason = "the path contains an invalid percent escape", .headers = {}},
           request, response);
    return;
  }
  endpoint.call(endpoint.api, request, parameter_, response);
}

void Router::refuse(const Refusal& refusal, const Request& request, Response& response) {
  const Refuser* best = nullptr;
  for (const Refuser& refuser : refusers_) {
    if (!request.path.starts_with(refuser.prefix)) continue;
    if (best == nullptr || refuser.prefix.size() > best->prefix.size()) best = &refuser;
  }
  if (best == nullptr) {
    refuse_as_text(refusal, response);
  } else {
    best->call(best->api, refusal, request, response);
  }
}

}  // namespace flagstone::net
