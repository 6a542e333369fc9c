// Where a transport puts a vendor's document: bytes in order, begin to end. The vendor's source
// implements it; transports know no vendor.
//
// Borrowed by the transport, called on the keeper's loop only. The transport may be destroyed
// inside none of these calls.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "upstream/source.h"

namespace flagstone::upstream {

enum class Arrival : std::uint8_t {
  kInWork,     // Handed on; the transport waits for settle().
  kUnchanged,  // The same bytes as were accepted last: contact, and nothing to do.
};

// What makes the next request conditional. Both may be empty.
struct Validators {
  std::string etag;
  std::string last_modified;
  bool empty() const { return etag.empty() && last_modified.empty(); }
};

class DocumentSink {
 public:
  virtual ~DocumentSink() = default;

  // A new document; whatever was not ended before is thrown away. `content_type` is empty for
  // files.
  virtual void on_begin(std::string_view content_type) = 0;
  // The next bytes. The error says why this is no document; the transport reports it as kMalformed.
  virtual std::expected<void, std::string> on_piece(std::string_view piece) = 0;
  // So much of what was given waits for the disk that no more should come: a transport that can
  // pauses the transfer, and asks again (disk_wait.h).
  virtual bool must_wait() const { return false; }
  // The disk was waited for in vain. The rest may come: the document is then refused.
  virtual void stop_waiting() {}
  // All bytes were given. As on_piece on error.
  virtual std::expected<Arrival, std::string> on_complete(const Validators& validators) = 0;
  // What was accepted last still holds (304; the file was not touched).
  virtual void on_unchanged() = 0;
  // The message is the cause alone; the source adds who and what next.
  virtual void on_failure(FailureKind kind, std::string cause, std::chrono::milliseconds retry) = 0;
  virtual void on_degraded(std::string_view message) = 0;
};

}  // namespace flagstone::upstream
