// LaunchDarkly's rules: flags and segments as its SDKs evaluate them.
//
// Follows go-server-sdk-evaluation v3.0.1. Records: flags and segments (record_kinds.h); keys are
// the vendor's, there are no set ids, versions are the objects' own.
#pragma once

#include <memory>

#include "evaluation/dialect.h"

namespace flagstone::evaluation::launchdarkly {

std::unique_ptr<Dialect> make_launchdarkly_dialect();

}  // namespace flagstone::evaluation::launchdarkly
