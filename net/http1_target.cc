#include "net/http1_target.h"

#include <algorithm>

namespace flagstone::net {
namespace {

bool starts_with_scheme(std::string_view target, std::string_view scheme) {
  return target.size() >= scheme.size() &&
         std::ranges::equal(target.substr(0, scheme.size()), scheme, {},
                            [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
}

Http1Target split_query(std::string_view target) {
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return {target, {}, {}};
  return {target.substr(0, mark), target.substr(mark + 1), {}};
}

std::optional<Http1Target> parse_absolute(std::string_view rest) {
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  if (authority.empty() || !is_host_text(authority)) return std::nullopt;
  Http1Target parts = split_query(rest.substr(end));
  if (parts.path.empty()) parts.path = "/";
  parts.authority = authority;
  return parts;
}

}  // namespace

bool is_host_text(std::string_view host) {
  return std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~:[]").find(c) != std::string_view::npos;
  });
}

std::optional<Http1Target> parse_http1_target(std::string_view target, Method method) {
  const bool clean =
      std::ranges::all_of(target, [](char c) { return c > ' ' && c < '\x7f' && c != '#'; });
  if (!clean) return std::nullopt;
  if (target.starts_with('/')) return split_query(target);
  if (target == "*" && method == Method::kOptions) return Http1Target{target, {}, {}};
  for (std::string_view scheme : {"http://", "https://"}) {
    if (starts_with_scheme(target, scheme)) return parse_absolute(target.substr(scheme.size()));
  }
  return std::nullopt;
}

}  // namespace flagstone::net
