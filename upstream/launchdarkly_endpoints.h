// Where LaunchDarkly's flags and events are, and what every request there says. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "upstream/http_client.h"

namespace flagstone::upstream {

// A place to put paths behind: "https://sdk.launchdarkly.com", without a slash at its end.
struct HttpBase {
  std::string url;
  std::string unix_socket;  // Of `http+unix://%2Frun%2Fx.sock`; empty: there is none.
};
HttpBase http_base(std::string_view uri);

// LaunchDarkly's own hosts where the base URI is one of theirs and nothing else is said; another
// relay, or another Flagstone, is asked for everything.
HttpBase polling_base(const config::Source& source);
HttpBase streaming_base(const config::Source& source);
HttpBase events_base(const config::Source& source);

// Authorization aside: wrapper, tags and instance id.
std::vector<HttpHeader> launchdarkly_headers(const config::LaunchDarklySource& options,
                                             std::string_view instance_id);

}  // namespace flagstone::upstream
