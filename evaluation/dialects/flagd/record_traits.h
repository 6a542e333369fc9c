// What a flag's or evaluator's text shows at a glance; see evaluation::RecordTraits.
//
// Pure; any thread.
#pragma once

#include <string_view>

#include "evaluation/dialect.h"

namespace flagstone::evaluation::flagd {

// Never says no where compile.h would find a reference or a look at the clock.
RecordTraits traits_of(std::string_view raw);

}  // namespace flagstone::evaluation::flagd
