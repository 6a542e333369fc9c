#include "upstream/grpc_frames.h"

#include <algorithm>

namespace flagstone::upstream {

GrpcPart GrpcFrames::next(std::string_view& bytes) {
  using enum GrpcPart::Kind;
  if (in_message_) {
    if (left_ == 0) {
      in_message_ = false;
      return {.kind = kEnd};
    }
    if (bytes.empty()) return {};
    const std::string_view piece = bytes.substr(0, left_);
    bytes.remove_prefix(piece.size());
    left_ -= static_cast<std::uint32_t>(piece.size());
    return {.kind = kPiece, .piece = piece};
  }
  const std::size_t wanted = std::min(kHeadBytes - head_size_, bytes.size());
  std::copy_n(bytes.begin(), wanted, head_.begin() + head_size_);
  bytes.remove_prefix(wanted);
  head_size_ += wanted;
  if (head_size_ < kHeadBytes) return {};
  head_size_ = 0;
  in_message_ = true;
  for (std::size_t i = 1; i < kHeadBytes; ++i) left_ = left_ << 8 | head_[i];
  return {.kind = kBegin, .length = left_, .compressed = head_[0] != 0};
}

}  // namespace flagstone::upstream
