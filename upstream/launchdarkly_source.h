// LaunchDarkly's sources: an environment's flags and segments by FDv2 or FDv1, streamed or polled,
// from LaunchDarkly, a relay or another Flagstone; or from a file.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "upstream/source_environment.h"

namespace flagstone::upstream {

// `file:PATH` is watched; `http:`, `https:` and `http+unix:` are base URIs. The error names a URI
// of another form.
std::expected<std::unique_ptr<Source>, std::string> make_launchdarkly_source(
    const config::Source& options, const SourceEnvironment& environment, SourceListener& listener);

}  // namespace flagstone::upstream
