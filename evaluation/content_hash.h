// Content hashes: names for bytes, to tell whether something changed and to find corruption.
//
// XXH3, fast and well mixed, not cryptographic: never a defence against somebody who chooses the
// bytes. The digests are stable across machines, versions and processes, so they may be stored. A
// ContentHash belongs to one thread; the free functions are pure. Nothing here fails.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace flagstone::evaluation {

struct Digest128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  friend auto operator<=>(const Digest128&, const Digest128&) = default;
};

std::uint64_t digest64(std::string_view bytes);
Digest128 digest128(std::string_view bytes);

// 32 lower-case hexadecimal digits, high half first.
std::array<char, 32> hex(const Digest128& digest);

// The larger digest over bytes that come in pieces: add("ab"), add("c") equals add("abc").
class ContentHash {
 public:
  ContentHash();
  ~ContentHash();
  ContentHash(ContentHash&&) noexcept;
  ContentHash& operator=(ContentHash&&) noexcept;

  void reset();
  void add(std::string_view bytes);
  // Of everything added since construction or reset(). Adding may go on afterwards.
  Digest128 digest128() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flagstone::evaluation
