#include "evaluation/sha1.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <utility>

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
[[gnu::always_inline]] inline void round(Words& w, Sha1::Digest& s) {
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

void Sha1::mix(const char* block) {
  Words w;
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = read_big_endian(block + i * 4);
  Digest s = state_;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (round<I>(w, s), ...);
  }(std::make_index_sequence<80>());
  for (std::size_t i = 0; i < s.size(); ++i) state_[i] += s[i];
}

void Sha1::add(std::string_view bytes) {
  const std::size_t waiting = bytes_ % kBlockBytes;
  bytes_ += bytes.size();
  if (waiting != 0) {
    const std::string_view begin = bytes.substr(0, kBlockBytes - waiting);
    std::copy(begin.begin(), begin.end(), rest_.begin() + static_cast<std::ptrdiff_t>(waiting));
    bytes.remove_prefix(begin.size());
    if (waiting + begin.size() < kBlockBytes) return;
    mix(rest_.data());
  }
  for (; bytes.size() >= kBlockBytes; bytes.remove_prefix(kBlockBytes)) mix(bytes.data());
  std::copy(bytes.begin(), bytes.end(), rest_.begin());
}

Sha1::Digest Sha1::finish() {
  const std::uint64_t bits = bytes_ * 8;
  std::size_t at = bytes_ % kBlockBytes;
  rest_[at++] = '\x80';
  constexpr std::size_t kLengthAt = kBlockBytes - 8;
  if (at > kLengthAt) {
    std::fill(rest_.begin() + static_cast<std::ptrdiff_t>(at), rest_.end(), '\0');
    mix(rest_.data());
    at = 0;
  }
  std::fill(rest_.begin() + static_cast<std::ptrdiff_t>(at), rest_.end(), '\0');
  for (std::size_t i = 0; i < 8; ++i) {
    rest_[kLengthAt + i] = static_cast<char>(bits >> (56 - 8 * i));
  }
  mix(rest_.data());
  return state_;
}

}  // namespace flagstone::evaluation
