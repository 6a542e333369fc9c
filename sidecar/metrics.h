// Everything Flagstone counts, in Prometheus' text format.
//
// Rendered on the keeper's thread from the keeper's facts and the serving threads' counters; a pure
// function of them. Names and labels are documented in DESIGN.md.
#pragma once

#include <cstdint>
#include <string>

namespace flagstone::sidecar {

class Keeper;

void append_metrics(std::string& out, const Keeper& keeper, std::int64_t now_unix_ms);

}  // namespace flagstone::sidecar
