// flagd's flag definitions as a Dialect: the only door to flagd's parse, compile and evaluate.
//
// Record kinds: 0 `flag` (a member of `flags`), 1 `evaluator` (a member of `$evaluators`). The
// dialect is immutable and may be used from any thread; `main` owns it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "evaluation/dialect.h"

namespace flagstone::evaluation::flagd {

inline constexpr RecordKind kEvaluatorKind{1};

// How `fractional` finds a user's bucket. The versions put the same user in different buckets.
enum class FractionalVersion : std::uint8_t {
  kV1,  // flagd before 0.15: 32-bit hash as a percentage.
  kV2,  // flagd since 0.15: integer buckets over the sum of weights.
  kV3,  // As v2, but the hash is taken of the value's deterministic CBOR.
};

// `v1`, `v2`, `v3`, as configuration spells them; nothing else.
std::optional<FractionalVersion> parse_fractional_version(std::string_view text);

struct FlagdOptions {
  FractionalVersion fractional = FractionalVersion::kV2;
};

std::unique_ptr<Dialect> make_flagd_dialect(const FlagdOptions& options = {});

}  // namespace flagstone::evaluation::flagd
