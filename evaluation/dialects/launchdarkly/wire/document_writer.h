// Everything an environment has, in each of the forms in which LaunchDarkly's server-side SDKs ask
// for it: flags and segments joined, each text byte for byte.
//
// A value that appends to what the caller gives it; one thread. REQUIRES: begin(), then every flag,
// then every segment, then finish(). Nothing here fails. Sources: sdk_messages.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "evaluation/dialects/launchdarkly/wire/sdk_messages.h"

namespace flagstone::evaluation::launchdarkly {

enum class DocumentForm : std::uint8_t {
  kPut,             // The `put` of /all.
  kFlagsPut,        // The `put` of /flags.
  kLatestAll,       // {"flags":{…},"segments":{…}}
  kFlags,           // {KEY: FLAG, …}
  kTransfer,        // From `server-intent` to `payload-transferred`, over a stream.
  kPolledTransfer,  // The same as the answer to a poll.
};

// The form says nothing about segments.
constexpr bool is_flags_only(DocumentForm form) {
  return form == DocumentForm::kFlagsPut || form == DocumentForm::kFlags;
}

class DocumentWriter {
 public:
  // What is around an object's key and text, and around everything, about.
  static constexpr std::size_t kDocumentFrameBytes = 512;
  static constexpr std::size_t frame_bytes(DocumentForm form) {
    constexpr std::size_t kMember = 4;   // "KEY":…,
    constexpr std::size_t kEvent = 100;  // event: put-object …
    const bool is_member = form != DocumentForm::kTransfer && form != DocumentForm::kPolledTransfer;
    return is_member ? kMember : kEvent;
  }

  explicit DocumentWriter(DocumentForm form) : form_(form) {}

  DocumentForm form() const { return form_; }
  // The target's views are looked at here and in finish().
  void begin(std::string& out, const TransferTarget& target) const;
  void add(std::string& out, const ServedObject& object);
  void finish(std::string& out, const TransferTarget& target);

 private:
  bool is_transfer() const {
    return form_ == DocumentForm::kTransfer || form_ == DocumentForm::kPolledTransfer;
  }
  bool is_event() const { return form_ == DocumentForm::kPut || form_ == DocumentForm::kFlagsPut; }
  Delivery delivery() const {
    return form_ == DocumentForm::kTransfer ? Delivery::kStream : Delivery::kPoll;
  }
  void begin_segments(std::string& out);

  DocumentForm form_;
  bool comma_ = false;
  bool in_segments_ = false;
};

}  // namespace flagstone::evaluation::launchdarkly
