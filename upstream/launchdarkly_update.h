// What one of a LaunchDarkly source's ways upstream brought, and whom it is brought to. The source
// implements the host; its ways know nothing of each other.
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

// What came last and was accepted, and whether more can be taken.
class LaunchDarklyHost {
 public:
  // Of every answer, before anything else. kLeave: another way is being gone.
  virtual EventSink::Head on_answer(const HttpHead& head) = 0;
  // Complete data that arrived now could be handed over.
  virtual bool can_take_data() const = 0;
  // As many changes wait as may.
  virtual bool can_take_changes() const = 0;
  // The data with that digest is what we have.
  virtual bool has_data(std::string_view digest) const = 0;
  // REQUIRES: can_take_data() or can_take_changes(), by what it is.
  virtual void on_streamed(LaunchDarklyUpdate&& update) = 0;
  // What we have is what there is.
  virtual void on_stream_current() = 0;
  // The other side wants us to come back, after `fallback_ttl_s` seconds if it says so.
  virtual EventSink::Next on_goodbye(std::optional<std::int64_t> fallback_ttl_s) = 0;
  virtual void on_stream_failure(FailureKind kind, std::string cause, milliseconds retry) = 0;

 protected:
  ~LaunchDarklyHost() = default;
};

}  // namespace flagstone::upstream
