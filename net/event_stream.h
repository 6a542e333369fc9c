// An answer without an end: the api keeps it and sends whenever there is something to say.
//
// Owned by the api that opened it, the loop's thread only. It outlives the request and survives its
// connection: after the connection's death it is deaf. Destroying it ends the answer.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/request.h"

namespace flagstone::net {

class EventStream {
 public:
  // Bytes one stream may have waiting for a slow reader. When none wait, an event of any size goes.
  static constexpr std::size_t kUnsentBytesMax = 256 * 1024;

  virtual ~EventStream() = default;

  // All or nothing: false, and nothing is queued, when the reader is too slow for it or gone. The
  // api then forgets the event and sends the latest state from on_drained. Writes happen at the end
  // of the turn: no callback runs inside send().
  [[nodiscard]] virtual bool send(std::string_view bytes) = 0;
  // As send(), for large bytes that many streams send: the stream keeps the pointer, not a copy,
  // and copies a piece whenever the peer takes one. At most one waits; while it does, every further
  // send is refused.
  [[nodiscard]] virtual bool send_shared(std::shared_ptr<const std::string> bytes) = 0;
  // Ends the answer; what was sent still goes out. on_closed does not run after it. Trailers as in
  // Response::send().
  virtual void close(std::span<const HeaderField> trailers) = 0;
  void close() { close({}); }
  virtual bool open() const = 0;

  // The connection is gone. The callback may destroy the stream.
  virtual void set_on_closed(std::move_only_function<void()> on_closed) = 0;
  // After a refused send: the reader has caught up. The callback may destroy the stream.
  virtual void set_on_drained(std::move_only_function<void()> on_drained) = 0;

  // What is sent is one answer that has an end, and no endless stream: a drain waits for it as for
  // any answer, and destroyed before close() it is aborted.
  virtual void set_finite() = 0;

  // Ends the answer as one that is not whole, so that nobody takes it for that: HTTP/1 closes the
  // connection without the last chunk (HTTP/1.0 knows no such sign), HTTP/2 resets the stream. What
  // has not gone out yet, of shared bytes above all, is let go of. on_closed does not run after it.
  virtual void abort() = 0;
};

}  // namespace flagstone::net
