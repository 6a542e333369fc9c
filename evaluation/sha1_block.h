// What SHA-1 does with one block of 64 bytes: in plain C++ for any machine, and by the instructions
// that processors of x86 have for it since 2017 or so, in less than half the time.
//
// Pure; no allocation; the same result either way.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace flagstone::evaluation {

using Sha1State = std::array<std::uint32_t, 5>;
inline constexpr std::size_t kSha1BlockBytes = 64;

void mix_sha1_plainly(Sha1State& state, const char* block);

#ifdef __x86_64__
inline bool has_sha1_instructions() {
  return __builtin_cpu_supports("sha") != 0 && __builtin_cpu_supports("ssse3") != 0;
}
// REQUIRES: has_sha1_instructions().
void mix_sha1_by_instructions(Sha1State& state, const char* block);
#endif

inline void mix_sha1(Sha1State& state, const char* block) {
#ifdef __x86_64__
  if (has_sha1_instructions()) return mix_sha1_by_instructions(state, block);
#endif
  mix_sha1_plainly(state, block);
}

}  // namespace flagstone::evaluation
