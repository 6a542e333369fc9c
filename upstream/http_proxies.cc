#include "upstream/http_proxies.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include "upstream/http_client.h"
#include "upstream/http_url.h"

namespace flagstone::upstream {
namespace {

struct IpAddress {
  int family = 0;
  std::array<unsigned char, 16> bytes{};
};

std::optional<IpAddress> parse_ip(std::string_view text) {
  const std::string zero_ended(text);
  IpAddress address;
  for (const int family : {AF_INET, AF_INET6}) {
    if (::inet_pton(family, zero_ended.c_str(), address.bytes.data()) == 1) {
      address.family = family;
      return address;
    }
  }
  return std::nullopt;
}

bool shares_prefix(const IpAddress& a, const IpAddress& b, unsigned bits) {
  if (a.family != b.family || bits > (a.family == AF_INET ? 32U : 128U)) return false;
  if (std::memcmp(a.bytes.data(), b.bytes.data(), bits / 8) != 0) return false;
  if (bits % 8 == 0) return true;
  const unsigned shift = 8 - bits % 8;
  return a.bytes[bits / 8] >> shift == b.bytes[bits / 8] >> shift;
}

bool matches_range(const IpAddress& address, std::string_view entry) {
  const std::size_t slash = entry.find('/');
  const auto range = parse_ip(entry.substr(0, slash));
  if (!range) return false;
  unsigned bits = range->family == AF_INET ? 32 : 128;
  if (slash != std::string_view::npos) {
    const std::string_view digits = entry.substr(slash + 1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size()) return false;
  }
  return shares_prefix(address, *range, bits);
}

bool matches_name(std::string_view host, std::string_view entry) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (entry.starts_with('.')) entry.remove_prefix(1);
  if (!host.ends_with(entry)) return false;
  return host.size() == entry.size() || host[host.size() - entry.size() - 1] == '.';
}

std::optional<HttpProxy> proxy_named(const config::Variables& variables,
                                     std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const auto text = variables(name);
    if (!text || text->empty()) continue;
    const auto url = parse_proxy_url(*text);
    if (!url) return std::nullopt;
    HttpProxy proxy{url->url, url->host, url->port};
    // The other two forms would make curl look up the target's name itself.
    if (url->scheme == "socks5") proxy.url.replace(0, 6, "socks5h");
    if (url->scheme == "socks4") proxy.url.replace(0, 6, "socks4a");
    return proxy;
  }
  return std::nullopt;
}

}  // namespace

HttpProxies HttpProxies::from(const config::Variables& variables) {
  HttpProxies proxies;
  proxies.http_ = proxy_named(variables, {"http_proxy", "all_proxy", "ALL_PROXY"});
  proxies.https_ = proxy_named(variables, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  auto list = variables("no_proxy");
  if (!list) list = variables("NO_PROXY");
  std::string_view rest = list ? std::string_view(*list) : std::string_view();
  while (!rest.empty()) {
    const std::size_t end = rest.find_first_of(", ");
    if (end != 0) proxies.direct_.push_back(lower_case(rest.substr(0, end)));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return proxies;
}

std::optional<HttpProxy> HttpProxies::select(std::string_view scheme, std::string_view host) const {
  const std::optional<HttpProxy>& proxy = scheme == "https" ? https_ : http_;
  if (!proxy || goes_direct(host)) return std::nullopt;
  return proxy;
}

bool HttpProxies::goes_direct(std::string_view host) const {
  const auto address = parse_ip(host);
  for (const std::string& entry : direct_) {
    if (entry == "*") return true;
    if (address ? matches_range(*address, entry) : matches_name(host, entry)) return true;
  }
  return false;
}

}  // namespace flagstone::upstream
