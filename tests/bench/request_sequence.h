// The requests of one run of load, in turn: the same bytes always, or one after the other of a list
// of paths, put into the same request. Made before the run, used by its one thread; what it gives
// out lives as long as the room that was lent, and the sequence.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace flagstone::bench {

class RequestSequence {
 public:
  RequestSequence() = default;
  explicit RequestSequence(std::string same) : before_path_(std::move(same)) {}
  // Each line of `lines` is a path; REQUIRES: at least one.
  RequestSequence(std::string before_path, std::string lines, std::string after_path);

  [[nodiscard]] bool empty() const { return before_path_.empty(); }
  // Begins anew after the last one.
  std::string_view next(std::string& room);

 private:
  std::string before_path_;
  std::string after_path_;
  std::string lines_;
  std::vector<std::size_t> line_ends_;  // none: the same bytes always
  std::size_t next_line_ = 0;
};

}  // namespace flagstone::bench
