// Forwards events to the vendor: those that apps post, and those of our own evaluations. There is
// no other way.
//
// One per environment whose vendor counts events, owned by the keeper, on its loop. It keeps what
// it took (on the disk, where there is a state directory), merges it, and sends it in batches, for
// as long as it takes. No failure ends it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/options.h"
#include "upstream/event_folder.h"
#include "upstream/source_environment.h"

namespace flagstone::upstream {

// A body that an app posted, with what its headers said of it.
struct PostedEvents {
  enum class Kind : std::uint8_t { kEvents, kDiagnostic };
  Kind kind = Kind::kEvents;
  // As the app presented it. That it opens the environment was found out before
  // (sidecar/former_credentials.h).
  std::string credential;
  // Whose events they are, by its place among the environment's sources. Nullopt: the credential is
  // none of theirs as far as is known there; the forwarder asks those that it has seen itself.
  std::optional<std::size_t> source = {};
  std::string schema;
  std::string payload_id;  // The same for a body that is posted again.
  std::string tags;
  bool is_unsummarized = false;  // Summaries of them are upstream's to make.
  bool is_gzip = false;
  std::string body;
};

enum class PostResult : std::uint8_t {
  kTaken,      // It is in the spool (again: an equal payload was there already).
  kMalformed,  // Not a JSON array of events, or no gzip.
  kTooLarge,   // Once expanded, or nested too deep.
  kFull,       // No room, or the disk takes nothing: the app has to try again.
};

// Why events were given up. The names are labels of the metrics.
enum class DropReason : std::uint8_t {
  kSpoolLimit,  // The oldest, when the spool was full.
  kTooLarge,    // 413 for a single event; or of our own, and more than is taken in one body.
  kRefused,     // 400; or of our own, and not well-formed.
  kOffline,     // The environment has no source that could take them.
  kDamaged,     // Read back from the disk, and not what was written.
};
inline constexpr std::array<const char*, 5> kDropReasonNames = {"spool_limit", "too_large",
                                                                "refused", "offline", "damaged"};

struct EventFacts {
  std::uint64_t received = 0;     // Events, posted or our own.
  std::uint64_t merged_away = 0;  // Summaries and index events that others stand for.
  std::uint64_t sent = 0;         // As upstream accepted them, after merging.
  std::array<std::uint64_t, kDropReasonNames.size()> dropped{};
  std::uint64_t posts_refused = 0;  // kFull.
  std::uint64_t requests = 0;       // Sent upstream, tries included.
  std::uint64_t send_failures = 0;
  std::uint64_t batches_waiting = 0;
  std::uint64_t spool_bytes = 0;   // On the disk.
  std::uint64_t memory_bytes = 0;  // What is held in memory of it.
  // Since when the oldest is here that waits; of an earlier process's, since this one found it.
  std::optional<std::int64_t> oldest_age_ms;
  // Why sending fails just now; empty: it does not.
  std::string send_problem;
};

class EventForwarder {
 public:
  using Done = std::move_only_function<void(PostResult)>;

  virtual ~EventForwarder() = default;

  // `done` runs in a later turn, exactly once, unless this is destroyed before.
  virtual void post(PostedEvents events, Done done) = 0;
  // Events of our own: a JSON array, for the environment's first source. Cheap enough for each
  // ping, twice a second: summaries are merged with all others of the same schema and tags. False,
  // and nothing is taken, while too much waits for the disk: keep them and come again.
  [[nodiscard]] virtual bool add(std::string_view schema, std::string_view tags,
                                 std::string events) = 0;
  // The vendor's clock as its last answer's `Date` had it, carried on; ours where it never
  // answered.
  virtual std::int64_t vendor_unix_ms() const = 0;
  // Other options for the same environment, after a reload.
  virtual void set_options(const config::Environment& options) = 0;
  // An operator wants it: what waits after a refusal is sent now.
  virtual void try_now() = 0;
  // Has what is there made into batches and begins to send them.
  virtual void flush() = 0;
  // Has what is there made into batches, sends what can be sent until the time is over, and leaves
  // the rest on the disk; then `done` runs. Nothing is taken any more.
  virtual void finish(std::int64_t limit_ms, std::move_only_function<void()> done) = 0;
  virtual EventFacts facts() const = 0;
};

// What a forwarder borrows from the daemon; all of it outlives it, but the disk, which is its own.
struct EventForwarderTools {
  SourceEnvironment sources;
  std::unique_ptr<EventDisk> disk;
  // For what is only in memory.
  std::uint64_t memory_bytes = 0;
  // For people: once per change of state.
  std::function<void(bool is_warning, std::string_view text)> say;
};

// A vendor's row in main's table may have one of these.
using MakeEventForwarder = std::function<std::unique_ptr<EventForwarder>(
    const config::Environment& options, EventForwarderTools tools)>;

}  // namespace flagstone::upstream
