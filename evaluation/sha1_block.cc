#include "evaluation/sha1_block.h"

#include <bit>
#include <cstring>
#include <utility>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace flagstone::evaluation {
namespace {

using Words = std::array<std::uint32_t, 16>;

std::uint32_t read_big_endian(const char* at) {
  std::uint32_t word = 0;
  std::memcpy(&word, at, sizeof word);
  if constexpr (std::endian::native == std::endian::little) word = std::byteswap(word);
  return word;
}

// One round. The five words change places by their names alone: what is `a` now is `b` next.
template <std::size_t I>
[[gnu::always_inline]] inline void round(Words& w, Sha1State& s) {
  constexpr std::size_t kA = (80 - I) % 5;
  std::uint32_t& a = s[kA];
  std::uint32_t& b = s[(kA + 1) % 5];
  std::uint32_t& c = s[(kA + 2) % 5];
  std::uint32_t& d = s[(kA + 3) % 5];
  std::uint32_t& e = s[(kA + 4) % 5];
  if constexpr (I >= 16) {
    w[I % 16] = std::rotl(w[(I + 13) % 16] ^ w[(I + 8) % 16] ^ w[(I + 2) % 16] ^ w[I % 16], 1);
  }
  e += std::rotl(a, 5) + w[I % 16];
  if constexpr (I < 20) {
    e += (d ^ (b & (c ^ d))) + 0x5A827999;
  } else if constexpr (I < 40) {
    e += (b ^ c ^ d) + 0x6ED9EBA1;
  } else if constexpr (I < 60) {
    e += ((b & c) | (d & (b | c))) + 0x8F1BBCDC;
  } else {
    e += (b ^ c ^ d) + 0xCA62C1D6;
  }
  b = std::rotl(b, 30);
}

}  // namespace

void mix_sha1_plainly(Sha1State& state, const char* block) {
  Words w;
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = read_big_endian(block + i * 4);
  Sha1State s = state;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (round<I>(w, s), ...);
  }(std::make_index_sequence<80>());
  for (std::size_t i = 0; i < s.size(); ++i) state[i] += s[i];
}

#ifdef __x86_64__
namespace {

// The words of a block and the state, first word highest, as the instructions want them. `e` is
// the word e before the first round, then what a to d were four rounds ago: the instructions make
// the next e of that.
struct Vectors {
  __m128i words[4];
  __m128i abcd;
  __m128i e;
};

template <int I>
[[gnu::target("sha,ssse3"), gnu::always_inline]] inline void four_rounds(Vectors& v) {
  __m128i& words = v.words[I % 4];
  if constexpr (I >= 4) {
    words = _mm_sha1msg1_epu32(words, v.words[(I + 1) % 4]);
    words = _mm_xor_si128(words, v.words[(I + 2) % 4]);
    words = _mm_sha1msg2_epu32(words, v.words[(I + 3) % 4]);
  }
  const __m128i e = I == 0 ? _mm_add_epi32(v.e, words) : _mm_sha1nexte_epu32(v.e, words);
  v.e = v.abcd;
  v.abcd = _mm_sha1rnds4_epu32(v.abcd, e, I / 5);
}

template <int... I>
[[gnu::target("sha,ssse3"), gnu::always_inline]] inline void all_rounds(
    Vectors& v, std::integer_sequence<int, I...>) {
  (four_rounds<I>(v), ...);
}

}  // namespace

[[gnu::target("sha,ssse3")]] void mix_sha1_by_instructions(Sha1State& state, const char* block) {
  constexpr int kReversed = 0b00'01'10'11;
  const __m128i reversed_bytes = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
  Vectors v;
  for (int i = 0; i < 4; ++i) {
    std::memcpy(&v.words[i], block + i * 16, 16);
    v.words[i] = _mm_shuffle_epi8(v.words[i], reversed_bytes);
  }
  std::memcpy(&v.abcd, state.data(), sizeof v.abcd);
  v.abcd = _mm_shuffle_epi32(v.abcd, kReversed);
  v.e = _mm_set_epi32(static_cast<int>(state[4]), 0, 0, 0);
  const Vectors before = v;
  all_rounds(v, std::make_integer_sequence<int, 20>());
  v.abcd = _mm_shuffle_epi32(_mm_add_epi32(v.abcd, before.abcd), kReversed);
  v.e = _mm_shuffle_epi32(_mm_sha1nexte_epu32(v.e, before.e), kReversed);
  std::memcpy(state.data(), &v.abcd, sizeof v.abcd);
  state[4] = static_cast<std::uint32_t>(_mm_cvtsi128_si32(v.e));
}
#endif

}  // namespace flagstone::evaluation
