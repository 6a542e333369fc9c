// What a record's text shows of its rules at a glance; see RecordTraits. Pure.
#pragma once

#include <string_view>

#include "evaluation/dialect.h"

namespace flagstone::evaluation::launchdarkly {

RecordTraits traits_of(std::string_view raw);

}  // namespace flagstone::evaluation::launchdarkly
