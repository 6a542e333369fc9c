// Which failures no waiting is likely to cure: vendors differ. Pure.
#pragma once

#include <functional>

#include "upstream/backoff.h"
#include "upstream/source.h"

namespace flagstone::upstream {

// `status` is the answer's, 0 where there was none.
using JudgeFailure = std::function<Regime(FailureKind kind, int status)>;

// A refused credential alone is.
inline Regime ordinary_judge(FailureKind kind, int) {
  return kind == FailureKind::kUnauthorized ? Regime::kDenied : Regime::kOrdinary;
}

}  // namespace flagstone::upstream
