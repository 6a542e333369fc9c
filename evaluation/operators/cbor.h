// Deterministic CBOR (RFC 8949, 4.2.1) of a JSON value.
//
// Pure. Whole numbers that 64 bits hold are CBOR integers (-0.0 is 0), other numbers the shortest
// float that keeps them; objects are sorted by their encoded names, of duplicates the last counts.
#pragma once

#include <cstddef>
#include <string_view>

#include "evaluation/arena.h"
#include "evaluation/value.h"

namespace flagstone::evaluation::operators {

// The encoding, in the arena. Empty when it would be longer than kCborBytesMax.
std::string_view encode_cbor(const Value& value, Arena& arena);

inline constexpr std::size_t kCborBytesMax = std::size_t{1} << 20;

}  // namespace flagstone::evaluation::operators
