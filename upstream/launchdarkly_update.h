// What one of a LaunchDarkly source's ways upstream brought, and whom the stream brings it to: the
// source, whose ways know nothing of each other.
//
// A value and an interface; all of it on the keeper's loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "evaluation/update.h"
#include "upstream/http_client.h"
#include "upstream/launchdarkly_cursor.h"
#include "upstream/source.h"
#include "upstream/transports/sse_stream.h"

namespace flagstone::upstream {

struct LaunchDarklyUpdate {
  evaluation::Update update;  // Its cursor is still to be written.
  LaunchDarklyCursor cursor;
};

// The source, as its stream sees it: takes updates and says what it has. Outlives the stream.
class LaunchDarklyStreamHost {
 public:
  // Of every answer, before anything else. kLeave: another way is being gone.
  virtual EventSink::Head on_answer(const HttpHead& head) = 0;
  // Complete data that arrived now could be handed over.
  virtual bool can_take_data() const = 0;
  // Changes could be handed over, or wait: fewer do than may.
  virtual bool can_take_changes() const = 0;
  // What was accepted last has that digest, and nothing newer is in work.
  virtual bool is_current(std::string_view digest) const = 0;
  // REQUIRES: can_take_data() or can_take_changes(), by what it is.
  virtual void on_streamed(LaunchDarklyUpdate&& update) = 0;
  // What we have is what there is.
  virtual void on_stream_current() = 0;
  // The other side wants us to come back, after `fallback_ttl_s` seconds if it says so.
  virtual EventSink::Next on_goodbye(std::optional<std::int64_t> fallback_ttl_s) = 0;
  virtual void on_stream_failure(FailureKind kind, std::string cause, milliseconds retry) = 0;

 protected:
  ~LaunchDarklyStreamHost() = default;
};

}  // namespace flagstone::upstream
