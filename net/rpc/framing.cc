#include "net/rpc/framing.h"

namespace flagstone::net {
namespace {

std::size_t length_at(std::string_view bytes) {
  std::size_t length = 0;
  for (std::size_t i = 1; i < kFramePrefixBytes; ++i) {
    length = length << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return length;
}

}  // namespace

std::expected<RpcFrame, RpcProblem> read_only_frame(std::string_view bytes, std::size_t bytes_max) {
  if (bytes.empty()) return std::unexpected(RpcProblem::kNoMessage);
  if (bytes.size() < kFramePrefixBytes) return std::unexpected(RpcProblem::kCut);
  const auto flags = static_cast<std::uint8_t>(bytes[0]);
  if ((flags & ~kFlagCompressed) != 0) return std::unexpected(RpcProblem::kUnknownFlags);
  const std::size_t length = length_at(bytes);
  if (length > bytes_max) return std::unexpected(RpcProblem::kTooLarge);
  const std::string_view rest = bytes.substr(kFramePrefixBytes);
  if (rest.size() < length) return std::unexpected(RpcProblem::kCut);
  if (rest.size() > length) return std::unexpected(RpcProblem::kMoreThanOneMessage);
  return RpcFrame{rest, (flags & kFlagCompressed) != 0};
}

std::size_t begin_frame(std::string& out) {
  const std::size_t begin = out.size();
  out.append(kFramePrefixBytes, '\0');
  return begin;
}

void end_frame(std::size_t begin, std::uint8_t flags, std::string& out) {
  const std::size_t length = out.size() - begin - kFramePrefixBytes;
  out[begin] = static_cast<char>(flags);
  for (std::size_t i = 1; i < kFramePrefixBytes; ++i) {
    out[begin + i] = static_cast<char>(length >> (8 * (4 - i)) & 0xff);
  }
}

void append_frame(std::string_view message, std::string& out) {
  const std::size_t begin = begin_frame(out);
  out.append(message);
  end_frame(begin, 0, out);
}

}  // namespace flagstone::net
