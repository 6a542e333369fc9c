// MurmurHash3, x86, 32 bits: the hash flagd and Unleash bucket users by.
//
// A pure function; the same bytes give the same hash on every machine.
#pragma once

#include <cstdint>
#include <string_view>

namespace flagstone::evaluation {

std::uint32_t murmur3_x86_32(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace flagstone::evaluation
