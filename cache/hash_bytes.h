// XXH3 in 64 bits: for indexes, content hashes and checksums against damage, not against malice.
//
// Pure; any thread. The value is part of the state's format and must stay what it is.
#pragma once

#include <cstdint>
#include <string_view>

namespace flagstone::cache {

std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed = 0);

// Spreads a number's bits, so that sums of mixed numbers tell sets apart.
constexpr std::uint64_t mix_bits(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ULL;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebULL;
  return bits ^ (bits >> 31);
}

}  // namespace flagstone::cache
