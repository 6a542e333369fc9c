// MurmurHash3, x86, 32 bits: the hash flagd and Unleash bucket users by.
//
// Pure; the same bytes give the same hash on every machine.
#pragma once

#include <cstdint>
#include <string_view>

namespace flagstone::evaluation {

std::uint32_t murmur3_x86_32(std::string_view bytes, std::uint32_t seed = 0);

// The hashes of texts that begin alike, with the beginning hashed once.
class Murmur3Beginning {
 public:
  explicit Murmur3Beginning(std::string_view beginning, std::uint32_t seed = 0);

  // Of the beginning with `rest` behind it.
  std::uint32_t hash_with(std::string_view rest) const;

 private:
  std::uint32_t hash_;       // Of the beginning's whole words.
  std::uint32_t left_over_;  // Its bytes behind them, at most three.
  std::uint32_t size_;
};

}  // namespace flagstone::evaluation
