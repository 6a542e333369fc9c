// What LaunchDarkly's OpenFeature providers make of an evaluation's detail.
//
// Pure, apart from the scratch it fills. Source: openfeature-python-server (details_converter).
#pragma once

#include <string_view>

#include "evaluation/dialects/launchdarkly/compiled_records.h"
#include "evaluation/evaluation.h"
#include "evaluation/scratch.h"

namespace flagstone::evaluation::launchdarkly {

// `problem`: what went wrong, for people, where the reason is an error.
Evaluation answer_of(const CompiledFlag& flag, const Detail& detail, std::string_view problem,
                     Scratch& scratch);

}  // namespace flagstone::evaluation::launchdarkly
