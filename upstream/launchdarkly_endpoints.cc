#include "upstream/launchdarkly_endpoints.h"

#include "config/launchdarkly_hosts.h"
#include "net/percent.h"

namespace flagstone::upstream {
namespace {

constexpr std::string_view kUnixScheme = "http+unix://";

std::string given_or_sibling(const std::string& given, const config::Source& source,
                             std::string_view label) {
  return given.empty() ? config::launchdarkly_sibling(source.uri, label) : given;
}

}  // namespace

HttpBase http_base(std::string_view uri) {
  HttpBase base;
  if (uri.starts_with(kUnixScheme)) {
    uri.remove_prefix(kUnixScheme.size());
    const std::size_t slash = uri.find('/');
    net::percent_decode(uri.substr(0, slash), base.unix_socket);
    base.url = "http://localhost";
    if (slash != std::string_view::npos) base.url += uri.substr(slash);
  } else {
    base.url = uri;
  }
  while (base.url.ends_with('/')) base.url.pop_back();
  return base;
}

HttpBase polling_base(const config::Source& source) { return http_base(source.uri); }

HttpBase streaming_base(const config::Source& source) {
  return http_base(given_or_sibling(source.launchdarkly.stream_uri, source, "stream"));
}

HttpBase events_base(const config::Source& source) {
  return http_base(given_or_sibling(source.launchdarkly.events_uri, source, "events"));
}

std::vector<HttpHeader> launchdarkly_headers(const config::LaunchDarklySource& options,
                                             std::string_view instance_id) {
  std::vector<HttpHeader> headers;
  if (!options.wrapper.empty()) headers.push_back({"X-LaunchDarkly-Wrapper", options.wrapper});
  std::string tags;
  for (const auto& [name, value] : options.tags) {
    if (!tags.empty()) tags += ' ';
    tags.append(name).append("/").append(value);
  }
  if (!tags.empty()) headers.push_back({"X-LaunchDarkly-Tags", std::move(tags)});
  headers.push_back({"X-LaunchDarkly-Instance-Id", std::string(instance_id)});
  return headers;
}

}  // namespace flagstone::upstream
