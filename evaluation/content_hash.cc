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

struct ContentHash::State {
  XXH3_state_t xxh;
};

ContentHash::ContentHash() : state_(std::make_unique<State>()) { reset(); }
ContentHash::~ContentHash() = default;
ContentHash::ContentHash(ContentHash&&) noexcept = default;
ContentHash& ContentHash::operator=(ContentHash&&) noexcept = default;

void ContentHash::reset() { XXH3_128bits_reset(&state_->xxh); }

void ContentHash::add(std::string_view bytes) {
  XXH3_128bits_update(&state_->xxh, bytes.data(), bytes.size());
}

Digest128 ContentHash::digest128() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(&state_->xxh);
  return {hash.low64, hash.high64};
}

}  // namespace flagstone::evaluation
