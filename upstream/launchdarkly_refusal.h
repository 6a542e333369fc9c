// What an operator is told of LaunchDarkly's 401, 403 and 404: what was refused, and what helps.
// Pure.
#pragma once

#include <string>

#include "config/options.h"
#include "config/secret.h"
#include "upstream/launchdarkly_cursor.h"
#include "upstream/source.h"

namespace flagstone::upstream {

// The request that failed.
struct LaunchDarklyAsked {
  const config::Source& source;
  const config::Secret& key;
  bool streamed = false;
  LaunchDarklyProtocol protocol = LaunchDarklyProtocol::kFdv1;
};

// `cause` with the path, where the key is from and the remedy; as it is, where it speaks for
// itself. Of the key no more than its end is in it.
std::string launchdarkly_cause(FailureKind kind, const std::string& cause,
                               const LaunchDarklyAsked& asked);

}  // namespace flagstone::upstream
