// Which proxy a request goes through, by the environment variables that everybody uses.
//
// curl could read them itself, but then it would also resolve the proxy's name itself, on a thread
// that it joins when the name service hangs. A value; read once at start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/secret.h"

namespace flagstone::upstream {

struct HttpProxy {
  std::string url;  // As curl takes it. May contain user info: never to be printed.
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const HttpProxy&) const = default;
};

class HttpProxies {
 public:
  // No proxy for anything.
  HttpProxies() = default;
  // http_proxy (in lower case only: the other spelling can be set by a CGI's client), https_proxy,
  // all_proxy and no_proxy, in either case. A proxy that cannot be read as a URL is as good as
  // none.
  static HttpProxies from(const config::Variables& variables);

  // The proxy for a request to `host`, or none. no_proxy lists names (which stand for their
  // subdomains too), addresses, address ranges (10.0.0.0/8) or `*`.
  std::optional<HttpProxy> select(std::string_view scheme, std::string_view host) const;

 private:
  bool goes_direct(std::string_view host) const;

  std::optional<HttpProxy> http_;
  std::optional<HttpProxy> https_;
  std::vector<std::string> direct_;
};

}  // namespace flagstone::upstream
