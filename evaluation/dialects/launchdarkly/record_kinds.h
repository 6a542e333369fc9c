// What LaunchDarkly's records are: flags, of kind 0 as everywhere, and segments.
#pragma once

#include "evaluation/record.h"

namespace flagstone::evaluation::launchdarkly {

inline constexpr RecordKind kSegmentKind{1};

}  // namespace flagstone::evaluation::launchdarkly
