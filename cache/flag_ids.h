// Hands out the stable numbers of flags, by which usage is counted: the same (set id, key) has the
// same number in every snapshot, also when it was deleted and comes back.
//
// Owned by one Environment, keeper's thread. A flag in use is known by its entry; only deleted ones
// are remembered here, at most kRetiredMax, after which the oldest number is given to somebody
// else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flagstone::cache {

class FlagIds {
 public:
  static constexpr std::size_t kRetiredMax = 10'000;

  // For a flag that no layer has: its old number, or a new one.
  std::uint32_t take(std::string_view set_id, std::string_view key);
  // No layer has the flag any more.
  void retire(std::string_view set_id, std::string_view key, std::uint32_t id);
  // All numbers handed out so far are below this.
  std::uint32_t limit() const { return limit_; }

 private:
  using Name = std::pair<std::string, std::string>;
  std::map<Name, std::uint32_t> retired_;
  std::deque<Name> retired_order_;
  std::vector<std::uint32_t> free_;
  std::uint32_t limit_ = 0;
};

}  // namespace flagstone::cache
