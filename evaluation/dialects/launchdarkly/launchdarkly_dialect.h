// LaunchDarkly's rules: flags and segments as its SDKs evaluate them.
//
// Follows go-server-sdk-evaluation v3.0.1. Records: kind 0 "flag", kind 1 "segment"; keys are the
// vendor's, there are no set ids, versions are the objects' own.
#pragma once

#include <memory>

#include "evaluation/dialect.h"

namespace flagstone::evaluation::launchdarkly {

inline constexpr RecordKind kSegmentKind{1};

std::unique_ptr<Dialect> make_launchdarkly_dialect();

}  // namespace flagstone::evaluation::launchdarkly
