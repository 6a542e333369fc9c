// SHA-1 (FIPS 180-4), because LaunchDarkly's buckets are made of it; no defence against anybody.
//
// One per hash, on the stack; allocates nothing and never fails.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "evaluation/sha1_block.h"

namespace flagstone::evaluation {

class Sha1 {
 public:
  using Digest = Sha1State;

  // The same digest however the bytes are cut.
  void add(std::string_view bytes);
  // Of everything added. Nothing may be added afterwards.
  Digest finish();

 private:
  Sha1State state_ = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  std::uint64_t bytes_ = 0;
  // The bytes that make no whole block yet.
  std::array<char, kSha1BlockBytes> rest_;
};

}  // namespace flagstone::evaluation
