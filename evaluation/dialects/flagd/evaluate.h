// Evaluates one compiled flag.
//
// Pure functions apart from the scratch; see Dialect::evaluate and Dialect::varies_by_itself.
#pragma once

#include "evaluation/dialect.h"
#include "evaluation/dialects/flagd/compiled_records.h"
#include "evaluation/dialects/flagd/flagd_dialect.h"

namespace flagstone::evaluation::flagd {

Evaluation evaluate(const Subject& subject, const EvaluationContext& context,
                    const RecordLookup& lookup, Moment moment, FractionalVersion fractional,
                    Scratch& scratch);

// `set_id` is not known to Dialect::varies_by_itself(), so references are followed in every set.
bool reads_clock(const CompiledFlag& flag, const RecordLookup& lookup);

}  // namespace flagstone::evaluation::flagd
