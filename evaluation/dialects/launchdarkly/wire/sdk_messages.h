// What LaunchDarkly's server-side SDKs are told, event by event: the older streams (`put`, `patch`,
// `delete`) and flag delivery v2 (`server-intent` to `payload-transferred`), over server-sent
// events and, for v2, as the answer to a poll.
//
// Pure functions that append bytes. REQUIRES: texts are valid JSON, keys valid UTF-8. Nothing here
// fails. Sources: ld-relay internal/streams/stream_events.go; go-server-sdk v7.14.6
// internal/datasourcev2; https://html.spec.whatwg.org/multipage/server-sent-events.html.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "evaluation/dialects/launchdarkly/record_kinds.h"
#include "evaluation/record.h"

namespace flagstone::evaluation::launchdarkly {

// One flag or segment, as it is served.
struct ServedObject {
  RecordKind kind = kFlagKind;  // Or kSegmentKind.
  std::string_view key;
  std::int64_t version = 0;
  // The vendor's text, byte for byte. Not looked at for deletions.
  std::string_view raw = {};
};

// The older streams. /all names both kinds in its paths, /flags has nothing but flags.
enum class StreamPaths : std::uint8_t { kAll, kFlagsOnly };

void append_patch(std::string& out, StreamPaths paths, const ServedObject& object);
void append_delete(std::string& out, StreamPaths paths, const ServedObject& object);
// A comment: shows that the stream lives.
std::string_view stream_comment();

// Flag delivery v2.
enum class Delivery : std::uint8_t { kStream, kPoll };
enum class Intent : std::uint8_t { kNone, kChanges, kFull };

// Which payload it is, and where its receiver stands afterwards.
struct TransferTarget {
  std::string_view payload_id;
  // Opaque to the receiver: comes back as `basis`.
  std::string_view state;
  std::int64_t version = 0;
};

// The transfer's first event; its last is append_transferred(), but of Intent::kNone there is no
// other.
void append_intent(std::string& out, Delivery delivery, Intent intent, std::string_view reason,
                   const TransferTarget& target);
void append_put_object(std::string& out, Delivery delivery, const ServedObject& object);
void append_delete_object(std::string& out, Delivery delivery, const ServedObject& object);
void append_transferred(std::string& out, Delivery delivery, const TransferTarget& target);
// A poll's answer has these around its events.
std::string_view poll_begin();
std::string_view poll_end();
std::string_view heartbeat_event();
// Before the end of a stream that the receiver is to open again.
void append_goodbye(std::string& out, std::string_view reason);

// JSON text inside an event of server-sent events: where the vendor broke a line, so does the
// event.
void append_event_data(std::string& out, std::string_view json);

}  // namespace flagstone::evaluation::launchdarkly
