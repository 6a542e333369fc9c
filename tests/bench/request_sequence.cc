#include "tests/bench/request_sequence.h"

#include <utility>

namespace flagstone::bench {

RequestSequence::RequestSequence(std::string before_path, std::string lines, std::string after_path)
    : before_path_(std::move(before_path)),
      after_path_(std::move(after_path)),
      lines_(std::move(lines)) {
  if (!lines_.ends_with('\n')) lines_ += '\n';
  for (auto end = lines_.find('\n'); end != std::string::npos; end = lines_.find('\n', end + 1))
    line_ends_.push_back(end);
}

std::string_view RequestSequence::next(std::string& room) {
  if (line_ends_.empty()) return before_path_;
  const std::size_t begin = next_line_ == 0 ? 0 : line_ends_[next_line_ - 1] + 1;
  const std::string_view path(lines_.data() + begin, line_ends_[next_line_] - begin);
  next_line_ = next_line_ + 1 == line_ends_.size() ? 0 : next_line_ + 1;
  room.assign(before_path_).append(path).append(after_path_);
  return room;
}

}  // namespace flagstone::bench
