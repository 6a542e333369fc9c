// The regular expressions of one record, which lie outside of its block.
//
// Filled while the record is compiled, by one thread; immutable and read by any thread afterwards.
// Bounded as a whole, since a record of 2 MiB has room for hundreds of thousands of expressions and
// the smallest takes kilobytes: what comes when the room is used up matches nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace flagstone::evaluation::launchdarkly {

class RegexList {
 public:
  // What the expressions of a record may take together, as far as bytes() knows it: some 350 of
  // ordinary size.
  static constexpr std::size_t kBytesMax = std::size_t{2} << 20;
  // What the smallest takes at least, and what one costs that is none.
  static constexpr std::size_t kFixedBytes = 2048;
  // How many there can be.
  static constexpr std::size_t kCountMax = kBytesMax / kFixedBytes;

  RegexList();
  ~RegexList();
  RegexList(RegexList&&) noexcept;
  RegexList& operator=(RegexList&&) noexcept;

  // nullptr: it is no regular expression, too large a one, or too large for what room is left.
  const re2::RE2* add(std::string_view pattern);
  // Whether there is no room for any other.
  bool is_full() const { return spent_bytes_ + kFixedBytes > kBytesMax; }
  std::size_t size() const { return list_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::vector<std::unique_ptr<const re2::RE2>> list_;
  std::size_t bytes_ = 0;
  // bytes_, and what was spent on texts that are no expressions.
  std::size_t spent_bytes_ = 0;
};

}  // namespace flagstone::evaluation::launchdarkly
