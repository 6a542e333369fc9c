// flagd.sync.v1's SyncFlags as bytes: the request, and the document out of a response that arrives
// in pieces.
//
// Pure. The response is read by hand, since protobuf's own parser wants the whole message in one
// place, and then copies the document out of it: up to 64 MiB twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace flagstone::upstream {

inline constexpr std::string_view kSyncFlagsPath = "/flagd.sync.v1.FlagSyncService/SyncFlags";

// A gRPC body of one SyncFlagsRequest. Empty fields are left out.
std::string sync_flags_body(std::string_view provider_id, std::string_view selector);

// Reads one SyncFlagsResponse. Of its fields only flag_configuration is ours; sync_context is what
// an in-process provider merges into its own contexts, and flagd as a consumer ignores it too.
class SyncFlagsResponseReader {
 public:
  enum class Part : std::uint8_t {
    kMore,    // Everything is eaten.
    kBegin,   // A document begins; what came of an earlier one is void (the last one counts).
    kPiece,   // `piece` are its next bytes.
    kBroken,  // No protobuf. Nothing further can be read.
  };
  // The next part, taken off the front of `bytes`. To be asked until it says kMore.
  Part next(std::string_view& bytes, std::string_view& piece);
  // No field has been begun and not ended.
  bool between_fields() const { return state_ == State::kTag && shift_ == 0; }

 private:
  enum class State : std::uint8_t { kTag, kLength, kSkippedVarint, kDocument, kSkipped, kBroken };

  // True when a whole number is in value_.
  bool read_varint(std::string_view& bytes);
  State after_tag();
  State after_length();
  Part take_document(std::string_view& bytes, std::string_view& piece);
  void skip(std::string_view& bytes);

  State state_ = State::kTag;
  std::uint64_t number_ = 0;  // The varint under way,
  unsigned shift_ = 0;        // and how far it got.
  std::uint64_t value_ = 0;
  std::uint64_t left_ = 0;  // Of the field's bytes.
  bool document_ = false;   // The length under way is the document's.
};

}  // namespace flagstone::upstream
