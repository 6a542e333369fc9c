#include "upstream/document_digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <cstdio>

namespace flagstone::upstream {

struct DocumentDigest::State {
  XXH3_state_t xxh;
};

DocumentDigest::DocumentDigest() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(&state_->xxh);
}

DocumentDigest::~DocumentDigest() = default;

void DocumentDigest::add(std::string_view bytes) {
  XXH3_128bits_update(&state_->xxh, bytes.data(), bytes.size());
}

std::string DocumentDigest::text() const {
  const XXH128_hash_t sum = XXH3_128bits_digest(&state_->xxh);
  std::array<char, 33> hex{};
  std::snprintf(hex.data(), hex.size(), "%016llx%016llx",
                static_cast<unsigned long long>(sum.high64),
                static_cast<unsigned long long>(sum.low64));
  return hex.data();
}

}  // namespace flagstone::upstream
