// A URL taken apart by curl's own parser, so that what we check is what curl will do. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flagstone::upstream {

struct HttpUrl {
  std::string url;     // Whole and normal.
  std::string scheme;  // In lower case.
  std::string host;    // In lower case, IPv6 without brackets.
  std::uint16_t port = 0;

  // Nothing when it is no URL with a host, or not http or https.
  static std::optional<HttpUrl> parse(std::string_view text);
  // Where `location` leads from here. User info does not travel to another host.
  std::optional<HttpUrl> follow(std::string_view location) const;
  // Whether what was meant for this place may be sent to `other`: the same host and port, or the
  // same host when plain HTTP moved up to HTTPS on the usual ports.
  bool shares_secrets_with(const HttpUrl& other) const;
};

// As parse(), with other schemes and `default_port`; a missing scheme is http.
std::optional<HttpUrl> parse_proxy_url(std::string_view text);

}  // namespace flagstone::upstream
