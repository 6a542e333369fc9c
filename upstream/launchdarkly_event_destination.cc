#include "upstream/launchdarkly_event_destination.h"

#include <algorithm>
#include <utility>

#include "evaluation/content_hash.h"
#include "net/loop.h"
#include "upstream/clock.h"
#include "upstream/launchdarkly_endpoints.h"
#include "upstream/launchdarkly_event_sender.h"
#include "upstream/redact.h"

namespace flagstone::upstream::launchdarkly {

std::uint64_t EventDestination::id_of(const config::Source& source) {
  const HttpBase base = events_base(source);
  std::string what = base.url + base.unix_socket;
  for (const std::string* part : {&source.uri, &source.launchdarkly.filter}) {
    what += '\n';
    what += *part;
  }
  return evaluation::digest64(what);
}

EventDestination::EventDestination(const config::Source& source,
                                   const SourceEnvironment& environment, const Calls& calls)
    : environment_(environment),
      source_(source),
      id_(id_of(source)),
      credential_(environment.loop, environment.files, source.credential, environment.variables,
                  calls.on_credential),
      credential_seen_(credential_.secret().reveal()),
      headers_(source.headers, environment, calls.on_header) {
  credential_.tell({.on_rewritten = calls.on_header, .on_trouble = [] {}});
  credential_.start();
  headers_.start();
}

std::expected<std::vector<HttpHeader>, std::string> EventDestination::headers() const {
  if (key().empty()) return std::unexpected("there is no SDK key: " + credential_.problem());
  std::vector<HttpHeader> headers;
  if (auto appended = headers_.append_to(headers); !appended) {
    return std::unexpected(std::move(appended.error()));
  }
  return headers;
}

std::string EventDestination::replace_credential_seen() {
  return std::exchange(credential_seen_, credential_.secret().reveal());
}

void EventDestination::forgive() {
  backoff_.forgive();
  send_now();
}

bool EventDestination::note_failure(const SendResult& result) {
  const milliseconds wait =
      std::max(backoff_.failed(result.regime, environment_.clock.now(), environment_.random.next(),
                               result.retry_after),
               milliseconds(1));
  wait_until_ms_ = environment_.loop.now_ms() + wait.count();
  const bool is_denied = result.regime == Regime::kDenied;
  const bool is_news = failing_.empty() || is_denied != is_denied_;
  failing_ = redacted_uri(events_base(source_).url) + ": " + result.cause;
  is_denied_ = is_denied;
  return is_news;
}

bool EventDestination::note_success() {
  backoff_.succeeded(environment_.clock.now());
  return !std::exchange(failing_, {}).empty();
}

}  // namespace flagstone::upstream::launchdarkly
