#include "net/http1_target.h"

#include <algorithm>
#include <array>

#include "net/ascii.h"

namespace flagstone::net {
namespace {

constexpr std::array<bool, 256> kOfHosts = [] {
  std::array<bool, 256> of_hosts{};
  for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789-._~:[]%")) {
    of_hosts[static_cast<unsigned char>(c)] = true;
  }
  return of_hosts;
}();

// Only printable ASCII, no space and no fragment. Looks at every byte whatever it finds: with no
// way out and nothing wider than a byte, compilers look at many at once.
bool is_clean(std::string_view target) {
  constexpr unsigned char kFirst = '!';
  constexpr unsigned char kLast = '~';
  unsigned char wrong = 0;
  for (const char c : target) {
    wrong |= static_cast<unsigned char>(c - kFirst) > kLast - kFirst || c == '#';
  }
  return wrong == 0;
}

bool starts_with_scheme(std::string_view target, std::string_view scheme) {
  return equal_ignoring_case(target.substr(0, scheme.size()), scheme);
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
  return std::ranges::all_of(host, [](char c) { return kOfHosts[static_cast<unsigned char>(c)]; });
}

std::optional<Http1Target> parse_http1_target(std::string_view target, Method method) {
  if (!is_clean(target)) return std::nullopt;
  if (target.starts_with('/')) return split_query(target);
  if (target == "*" && method == Method::kOptions) return Http1Target{target, {}, {}};
  for (std::string_view scheme : {"http://", "https://"}) {
    if (starts_with_scheme(target, scheme)) return parse_absolute(target.substr(scheme.size()));
  }
  return std::nullopt;
}

}  // namespace flagstone::net
