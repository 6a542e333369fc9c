// Writes evaluated flags as LaunchDarkly's `evalx` answers show them: an object of flags by key.
//
// Pure functions that append bytes; the views of a result are looked at here and not kept. Source:
// ld-relay relay/relay_endpoints.go (evaluateAllShared), go-sdk-common v3 ldreason.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "evaluation/dialects/launchdarkly/wire/detail.h"

namespace flagstone::evaluation::launchdarkly {

// Who asks: a server-side SDK sees all flags, apps and browsers those that are meant for them.
enum class EvalxCaller : std::uint8_t { kServer, kMobile, kBrowser };

bool may_see(EvalxCaller caller, const FlagFacts& flag);

// `"KEY":{"value":…,"variation":…,"version":…,…}`. `version` is that of a flag without facts: one
// that nothing good was ever heard of. With `with_reasons`, and for experiments, `reason` is in it.
void append_evalx_member(std::string& out, std::string_view key, std::int64_t version,
                         const Evaluation& result, bool with_reasons);

}  // namespace flagstone::evaluation::launchdarkly
