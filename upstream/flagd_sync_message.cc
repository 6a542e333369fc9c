#include "upstream/flagd_sync_message.h"

#include <algorithm>

namespace flagstone::upstream {
namespace {

constexpr std::uint64_t kProviderIdTag = 1 << 3 | 2;
constexpr std::uint64_t kSelectorTag = 2 << 3 | 2;
constexpr std::uint64_t kFlagConfigurationTag = 1 << 3 | 2;

void append_varint(std::uint64_t number, std::string& out) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(0x80 | (number & 0x7f));
  out += static_cast<char>(number);
}

void append_text(std::uint64_t tag, std::string_view text, std::string& out) {
  if (text.empty()) return;
  append_varint(tag, out);
  append_varint(text.size(), out);
  out += text;
}

}  // namespace

std::string sync_flags_body(std::string_view provider_id, std::string_view selector) {
  std::string message;
  append_text(kProviderIdTag, provider_id, message);
  append_text(kSelectorTag, selector, message);
  std::string body(1, '\0');  // Not compressed.
  for (const int shift : {24, 16, 8, 0}) {
    body += static_cast<char>(message.size() >> shift & 0xff);
  }
  return body + message;
}

SyncFlagsResponseReader::Part SyncFlagsResponseReader::next(std::string_view& bytes,
                                                            std::string_view& piece) {
  while (true) {
    if (state_ == State::kBroken) return Part::kBroken;
    if (bytes.empty()) return Part::kMore;
    switch (state_) {
      case State::kTag:
        if (read_varint(bytes)) state_ = after_tag();
        break;
      case State::kLength:
        if (!read_varint(bytes)) break;
        state_ = after_length();
        if (document_ && state_ != State::kBroken) return Part::kBegin;
        break;
      case State::kSkippedVarint:
        if (read_varint(bytes)) state_ = State::kTag;
        break;
      case State::kDocument:
        return take_document(bytes, piece);
      case State::kSkipped:
        skip(bytes);
        break;
      case State::kBroken:
        break;
    }
  }
}

bool SyncFlagsResponseReader::read_varint(std::string_view& bytes) {
  constexpr unsigned kBitsMax = 63;  // Where the tenth and last byte begins.
  while (!bytes.empty()) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    number_ |= std::uint64_t{byte & 0x7fU} << shift_;
    if (byte < 0x80) {
      value_ = number_;
      number_ = 0;
      shift_ = 0;
      return true;
    }
    shift_ += 7;
    if (shift_ > kBitsMax) {
      state_ = State::kBroken;
      return false;
    }
  }
  return false;
}

SyncFlagsResponseReader::State SyncFlagsResponseReader::after_tag() {
  document_ = value_ == kFlagConfigurationTag;
  if (value_ >> 3 == 0) return State::kBroken;
  switch (value_ & 7) {
    case 0:
      return State::kSkippedVarint;
    case 1:
      left_ = 8;
      return State::kSkipped;
    case 2:
      return State::kLength;
    case 5:
      left_ = 4;
      return State::kSkipped;
    default:  // Groups, which proto3 does not have.
      return State::kBroken;
  }
}

SyncFlagsResponseReader::State SyncFlagsResponseReader::after_length() {
  constexpr std::uint64_t kFieldBytesMax = 0x7fffffff;  // Protobuf's own bound.
  if (value_ > kFieldBytesMax) return State::kBroken;
  left_ = value_;
  if (left_ == 0) return State::kTag;
  return document_ ? State::kDocument : State::kSkipped;
}

SyncFlagsResponseReader::Part SyncFlagsResponseReader::take_document(std::string_view& bytes,
                                                                     std::string_view& piece) {
  piece = bytes.substr(0, left_);
  skip(bytes);
  return Part::kPiece;
}

void SyncFlagsResponseReader::skip(std::string_view& bytes) {
  const std::size_t size = std::min<std::uint64_t>(left_, bytes.size());
  bytes.remove_prefix(size);
  left_ -= size;
  if (left_ == 0) state_ = State::kTag;
}

}  // namespace flagstone::upstream
