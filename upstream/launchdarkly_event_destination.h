// Where the events of one source go: its address, its key and headers, and how sending there goes.
//
// One per source that takes events, owned by the forwarder's EventRoutes, on the keeper's loop. A
// key or a header that cannot be read is a failure to send, told by headers().
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "config/secret.h"
#include "upstream/backoff.h"
#include "upstream/configured_headers.h"
#include "upstream/credential.h"
#include "upstream/http_client.h"
#include "upstream/source_environment.h"

namespace flagstone::upstream::launchdarkly {

struct SendResult;

class EventDestination {
 public:
  struct Calls {
    std::function<void()> on_credential;
    std::function<void()> on_header;
  };

  // `environment` outlives this. Files are looked at from here on.
  EventDestination(const config::Source& source, const SourceEnvironment& environment,
                   const Calls& calls);

  // EventGroup::source: where it is and where its events go. No two of an environment's have the
  // same.
  static std::uint64_t id_of(const config::Source& source);
  std::uint64_t id() const { return id_; }
  const config::Source& source() const { return source_; }
  const config::Secret& key() const { return credential_.secret(); }
  // What goes along with each request, or why there can be none.
  std::expected<std::vector<HttpHeader>, std::string> headers() const;

  // That is its key, as it was seen last.
  bool has_credential(std::string_view credential) const { return credential_seen_ == credential; }
  // After `on_credential`: its key is seen anew; returns the one before.
  std::string replace_credential_seen();

  // On the loop's clock.
  bool may_send(std::int64_t now_ms) const { return wait_until_ms_ <= now_ms; }
  std::int64_t wait_until_ms() const { return wait_until_ms_; }
  // What it is waiting for may be over; how often it failed still counts.
  void send_now() { wait_until_ms_ = 0; }
  // Likewise, and what made it fail may be over.
  void forgive();
  // Whereto and why; empty while sending works.
  const std::string& failing() const { return failing_; }
  // Both say whether that is news.
  bool note_failure(const SendResult& result);
  bool note_success();

 private:
  const SourceEnvironment& environment_;
  config::Source source_;
  std::uint64_t id_;
  Credential credential_;
  std::string credential_seen_;
  ConfiguredHeaders headers_;
  Backoff backoff_{BackoffOptions{}};
  std::int64_t wait_until_ms_ = 0;
  std::string failing_;
  bool is_denied_ = false;
};

}  // namespace flagstone::upstream::launchdarkly
