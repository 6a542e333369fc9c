// Writes why an evaluation came out as it did, as LaunchDarkly's SDKs and services spell it.
//
// Pure; appends bytes. Source: go-sdk-common v3 (ldreason).
#pragma once

#include <string>

#include "evaluation/dialects/launchdarkly/wire/detail.h"

namespace flagstone::evaluation::launchdarkly {

// {"kind":"RULE_MATCH","ruleIndex":0,…}
void append_reason(std::string& out, const Detail& detail);

}  // namespace flagstone::evaluation::launchdarkly
