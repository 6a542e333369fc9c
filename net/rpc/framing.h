// Frames of gRPC, gRPC-Web and Connect streams: one byte of flags, four of length (the highest
// first), the message. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "net/rpc/problem.h"

namespace flagstone::net {

inline constexpr std::size_t kFramePrefixBytes = 5;

inline constexpr std::uint8_t kFlagCompressed = 0x01;
inline constexpr std::uint8_t kFlagConnectEnd = 0x02;   // the message says how the stream ended
inline constexpr std::uint8_t kFlagWebTrailers = 0x80;  // the message is HTTP trailers

struct RpcFrame {
  std::string_view message;
  bool compressed = false;
};

// `bytes` is one frame and nothing else, of a message not longer than `bytes_max`.
std::expected<RpcFrame, RpcProblem> read_only_frame(std::string_view bytes, std::size_t bytes_max);

// Room for a prefix; the message is to be appended behind it.
std::size_t begin_frame(std::string& out);
// Fills the prefix at `begin`: the message is all that stands behind it.
void end_frame(std::size_t begin, std::uint8_t flags, std::string& out);
void append_frame(std::string_view message, std::string& out);

}  // namespace flagstone::net
