#include "upstream/http_url.h"

#include <curl/curl.h>

#include <charconv>
#include <memory>

#include "upstream/http_client.h"

namespace flagstone::upstream {
namespace {

struct CloseUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, CloseUrl>;

constexpr std::uint16_t kProxyPort = 1080;  // curl's own default for proxies.

std::string part(CURLU* url, CURLUPart what, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, what, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

std::optional<HttpUrl> taken_apart(CURLU* handle, unsigned port_flags) {
  HttpUrl url;
  url.url = part(handle, CURLUPART_URL);
  url.scheme = lower_case(part(handle, CURLUPART_SCHEME));
  url.host = lower_case(part(handle, CURLUPART_HOST));
  if (url.host.size() > 2 && url.host.front() == '[') {
    url.host = url.host.substr(1, url.host.size() - 2);
  }
  const std::string port = part(handle, CURLUPART_PORT, port_flags);
  std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (url.url.empty() || url.host.empty()) return std::nullopt;
  return url;
}

std::optional<HttpUrl> http_only(std::optional<HttpUrl> url) {
  if (url && (url->scheme == "http" || url->scheme == "https") && url->port != 0) return url;
  return std::nullopt;
}

}  // namespace

std::optional<HttpUrl> HttpUrl::parse(std::string_view text) {
  const UrlHandle handle(curl_url());
  const std::string zero_ended(text);
  if (curl_url_set(handle.get(), CURLUPART_URL, zero_ended.c_str(), 0) != CURLUE_OK) return {};
  return http_only(taken_apart(handle.get(), CURLU_DEFAULT_PORT));
}

std::optional<HttpUrl> HttpUrl::follow(std::string_view location) const {
  const UrlHandle handle(curl_url());
  const std::string target(location);
  if (curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return {};
  // Set over an existing one, a relative URL is resolved and an absolute one replaces everything.
  const unsigned flags = CURLU_URLENCODE;
  if (curl_url_set(handle.get(), CURLUPART_URL, target.c_str(), flags) != CURLUE_OK) return {};
  return http_only(taken_apart(handle.get(), CURLU_DEFAULT_PORT));
}

bool HttpUrl::shares_secrets_with(const HttpUrl& other) const {
  if (host != other.host) return false;
  if (scheme == other.scheme) return port == other.port;
  return scheme == "http" && port == 80 && other.scheme == "https" && other.port == 443;
}

std::optional<HttpUrl> parse_proxy_url(std::string_view text) {
  const UrlHandle handle(curl_url());
  const std::string whole = text.find("://") == std::string_view::npos
                                ? "http://" + std::string(text)
                                : std::string(text);
  const unsigned flags = CURLU_NON_SUPPORT_SCHEME;
  if (curl_url_set(handle.get(), CURLUPART_URL, whole.c_str(), flags) != CURLUE_OK) return {};
  std::optional<HttpUrl> url = taken_apart(handle.get(), 0);
  if (url && url->port == 0) url->port = url->scheme == "https" ? 443 : kProxyPort;
  return url;
}

}  // namespace flagstone::upstream
