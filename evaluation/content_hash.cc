#include "evaluation/content_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace flagstone::evaluation {

std::uint64_t digest64(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

Digest128 digest128(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

std::array<char, 32> hex(const Digest128& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 32> text{};
  for (std::size_t i = 0; i < 16; ++i) {
    const std::size_t shift = 60 - 4 * i;
    text[i] = kDigits[digest.high >> shift & 15];
    text[16 + i] = kDigits[digest.low >> shift & 15];
  }
  return text;
}

// xxHash has one streaming state for both sizes, but its two updates fill it differently.
struct ContentHash::State {
  XXH3_state_t of64;
  XXH3_state_t of128;
};

ContentHash::ContentHash() : state_(std::make_unique<State>()) { reset(); }
ContentHash::~ContentHash() = default;
ContentHash::ContentHash(ContentHash&&) noexcept = default;
ContentHash& ContentHash::operator=(ContentHash&&) noexcept = default;

void ContentHash::reset() {
  XXH3_64bits_reset(&state_->of64);
  XXH3_128bits_reset(&state_->of128);
}

void ContentHash::add(std::string_view bytes) {
  XXH3_64bits_update(&state_->of64, bytes.data(), bytes.size());
  XXH3_128bits_update(&state_->of128, bytes.data(), bytes.size());
}

std::uint64_t ContentHash::digest64() const { return XXH3_64bits_digest(&state_->of64); }

Digest128 ContentHash::digest128() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(&state_->of128);
  return {hash.low64, hash.high64};
}

}  // namespace flagstone::evaluation
