#include "evaluation/sha1.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace flagstone::evaluation {

void Sha1::add(std::string_view bytes) {
  const std::size_t waiting = bytes_ % kSha1BlockBytes;
  bytes_ += bytes.size();
  if (waiting != 0) {
    const std::string_view begin = bytes.substr(0, kSha1BlockBytes - waiting);
    std::copy(begin.begin(), begin.end(), rest_.begin() + static_cast<std::ptrdiff_t>(waiting));
    bytes.remove_prefix(begin.size());
    if (waiting + begin.size() < kSha1BlockBytes) return;
    mix_sha1(state_, rest_.data());
  }
  for (; bytes.size() >= kSha1BlockBytes; bytes.remove_prefix(kSha1BlockBytes))
    mix_sha1(state_, bytes.data());
  std::copy(bytes.begin(), bytes.end(), rest_.begin());
}

Sha1::Digest Sha1::finish() {
  std::uint64_t bits = bytes_ * 8;
  if constexpr (std::endian::native == std::endian::little) bits = std::byteswap(bits);
  std::size_t at = bytes_ % kSha1BlockBytes;
  rest_[at++] = '\x80';
  constexpr std::size_t kLengthAt = kSha1BlockBytes - sizeof bits;
  if (at > kLengthAt) {
    std::fill(rest_.begin() + static_cast<std::ptrdiff_t>(at), rest_.end(), '\0');
    mix_sha1(state_, rest_.data());
    at = 0;
  }
  std::fill(rest_.begin() + static_cast<std::ptrdiff_t>(at), rest_.end(), '\0');
  std::memcpy(rest_.data() + kLengthAt, &bits, sizeof bits);
  mix_sha1(state_, rest_.data());
  return state_;
}

}  // namespace flagstone::evaluation
