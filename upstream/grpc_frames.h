// Cuts a gRPC body into its messages, whatever pieces it arrives in and however long they are:
// nothing is collected, the bytes of a message are handed on as they come.
//
// A pure value; one per body.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flagstone::upstream {

struct GrpcPart {
  enum class Kind : std::uint8_t {
    kMore,   // Everything is eaten.
    kBegin,  // A message of `length` bytes follows.
    kPiece,  // The next bytes of it.
    kEnd,    // It is complete.
  };
  Kind kind = Kind::kMore;
  std::uint32_t length = 0;
  bool compressed = false;  // With kBegin. Any flag but zero.
  std::string_view piece = {};
};

class GrpcFrames {
 public:
  // The next part, taken off the front of `bytes`. To be asked until it says kMore: a message's end
  // needs no further byte.
  GrpcPart next(std::string_view& bytes);
  // No message has been begun and not ended.
  bool between_messages() const { return !in_message_ && head_size_ == 0; }

 private:
  static constexpr std::size_t kHeadBytes = 5;  // A flag, and the length in network order.

  std::array<unsigned char, kHeadBytes> head_{};
  std::size_t head_size_ = 0;
  bool in_message_ = false;
  std::uint32_t left_ = 0;  // Of the message's bytes.
};

}  // namespace flagstone::upstream
