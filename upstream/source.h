// A source: one place upstream that an environment's records come from, and the listener that
// takes what it brings.
//
// A Source belongs to the keeper and lives on the keeper's loop thread; every call in both
// directions happens there. A listener is borrowed, belongs to one source, and outlives it.
// Nothing here throws, and no failure ends a source: it reports and tries again until stop().
//
// One document is in work at a time. After on_update() the source brings nothing more until the
// keeper calls settle(), at once or later; what happens upstream meanwhile is fetched afterwards,
// in its newest form. The cursor (ETag, digest, selector state) counts only after kAccepted.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "config/secret.h"
#include "evaluation/update.h"

namespace flagstone::upstream {

enum class SourceKind : std::uint8_t { kFile, kPoll, kStream };

// Why nothing new came. The names (failure_kind_name) are labels of the metrics.
enum class FailureKind : std::uint8_t {
  kResolve,       // The name has no address, or the resolver is silent and none is remembered.
  kConnect,       // Refused, unreachable, or closed before an answer.
  kTls,           // Handshake or certificate.
  kTimeout,       // Connect, first byte or silence took longer than allowed.
  kSlow,          // Bytes came, but the whole took longer than allowed.
  kTruncated,     // Cut before its end.
  kUnauthorized,  // 401 or 403.
  kNotFound,      // 404 or 410.
  kRateLimited,   // 429.
  kServerError,   // 5xx.
  kHttpStatus,    // Any other status.
  kRedirect,      // Too many, without target, or from https to http.
  kProtocol,      // Not HTTP, or HTTP that makes no sense (304 without a condition).
  kTooLarge,      // Over max_document_bytes, compressed or not.
  kEncoding,      // Content-Encoding unknown or broken.
  kMalformed,     // Not a document: empty, cut, not JSON or YAML.
  kMissing,       // The file does not exist.
  kUnreadable,    // The file exists, but reading fails.
  kCredential,    // The credential cannot be read.
};
std::string_view failure_kind_name(FailureKind kind);
inline constexpr std::size_t kFailureKindCount = 19;

struct SourceFailure {
  FailureKind kind{};
  // For people: source, cause, what happens next. Never contains a secret.
  std::string message;
  // Until the next try. Zero: when the file changes.
  std::chrono::milliseconds retry_in{0};
};

// The keeper's side.
class SourceListener {
 public:
  virtual ~SourceListener() = default;

  // A whole document or a delta. The keeper answers with Source::settle(), in here or later.
  virtual void on_update(evaluation::Update&& update) = 0;
  // Contact was good, and what was accepted last still holds (304, or the same bytes again).
  virtual void on_unchanged() = 0;
  // Every failure, each time. Saying it once per change of state is the keeper's part.
  virtual void on_failure(const SourceFailure& failure) = 0;
  // The credential is another one now; the source asks with it at once, without a condition.
  // Source::credential() already gives the new one.
  virtual void on_credential_changed() = 0;
  // Works, but not as it should ("inotify is refused, looking once a second"); said once.
  virtual void on_degraded(std::string_view message) = 0;
  // Works, by another way than before and no worse one ("streamed by FDv2"); said once.
  virtual void on_way_changed(std::string_view /*message*/) {}
};

// What became of the document in work.
enum class Outcome : std::uint8_t {
  kAccepted,  // Parsed and published. Its cursor counts from now on.
  kRefused,   // Too bad or too big. Nothing is remembered; the next poll asks without a condition.
  kHeld,      // By the shrink guard. As refused; a stream reopens without cursor after 30 s.
  // As refused, for a cause that passes, while there is nothing to answer by: asked for again soon,
  // after ordinary back-off.
  kRefusedForNow,
};

class Source {
 public:
  virtual ~Source() = default;

  virtual SourceKind kind() const = 0;
  // For people, logs, metrics and status: without user info and query values.
  virtual std::string_view uri() const = 0;
  // Between polls; zero for files and streams. Stale is reckoned with it.
  virtual std::chrono::milliseconds interval() const = 0;
  // The secret in use, empty when there is none or it cannot be read. For hashing beside the state
  // and for routing; never to be printed.
  virtual const config::Secret& credential() const = 0;
  // Looks at once whether there is another one. `done` runs when that is known, and says whether
  // one was found where one should be; stop() drops it. Sources whose credential opens nothing at
  // our side need not look.
  virtual void look_at_credential(std::move_only_function<void(bool found)> done) { done(true); }

  // Begins from a cursor that the state kept beside records which are published by now.
  // REQUIRES: before start(). A cursor of another form is ignored.
  virtual void resume(std::string_view cursor) = 0;
  virtual void start() = 0;
  // No listener call comes after it. Cannot be started again.
  virtual void stop() = 0;
  // Ends the work on the last on_update(). REQUIRES: one is in work.
  virtual void settle(Outcome outcome) = 0;
  // Asks as soon as possible and without a condition (after `flagstone accept`).
  virtual void refresh() = 0;
  // An operator wants no waiting (SIGHUP): where a failure is likely to last and the next try is
  // far, it comes at once. Those that never wait long have nothing to do.
  virtual void try_now() {}
  // By which of its vendor's protocols it asks just now, for people; empty: there is only one.
  virtual std::string_view protocol_name() const { return {}; }
  // What will go wrong although nothing does yet (the credential's file is empty); empty: nothing.
  virtual std::string_view trouble() const { return {}; }
};

}  // namespace flagstone::upstream
