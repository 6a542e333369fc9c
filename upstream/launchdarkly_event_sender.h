// One POST of a batch of events to LaunchDarkly, or to whoever stands there for it.
//
// A member of the forwarder, on the keeper's loop. One request at a time. Nothing is tried again
// here: what a failure means for the batch is the caller's part.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/options.h"
#include "config/secret.h"
#include "upstream/backoff.h"
#include "upstream/http_client.h"
#include "upstream/launchdarkly_batch_store.h"

namespace flagstone::upstream::launchdarkly {

// Nothing can be posted to a file.
bool takes_events(const config::Source& source);

struct SendResult {
  enum class Verdict : std::uint8_t {
    kAccepted,
    kRefused,   // 400: something is wrong with it, or with who stands between.
    kTooLarge,  // 413
    kFailed,    // Try again.
  };
  Verdict verdict = Verdict::kFailed;
  Regime regime = Regime::kOrdinary;
  // Upstream was there, and had its reason not to take this.
  bool is_answer = false;
  std::string cause;  // "status 503", "connection refused"
  std::optional<milliseconds> retry_after;
  std::optional<std::int64_t> server_unix_ms;
};

class EventSender final : public HttpReceiver {
 public:
  // With the batch again.
  using Done = std::move_only_function<void(SendResult, OutgoingBatch)>;

  // The id tells this process from others; empty: it does not.
  EventSender(HttpClient& http, const Clock& clock, std::string instance_id)
      : http_(http), clock_(clock), instance_id_(std::move(instance_id)) {}

  // With `headers` beside those that belong to events; `done` runs in a later turn. REQUIRES: the
  // last one is done.
  void send(const config::Source& source, const config::Secret& key,
            std::vector<HttpHeader> headers, OutgoingBatch batch, Done done);

 private:
  bool on_head(const HttpHead& head) override;
  bool on_body(std::string_view) override { return true; }
  void on_end(const std::optional<HttpError>& error) override;

  HttpClient& http_;
  const Clock& clock_;
  std::string instance_id_;
  std::unique_ptr<HttpExchange> exchange_;
  int status_ = 0;
  SendResult result_;
  OutgoingBatch batch_;  // On its way.
  Done done_;
};

}  // namespace flagstone::upstream::launchdarkly
