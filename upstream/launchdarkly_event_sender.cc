#include "upstream/launchdarkly_event_sender.h"

#include <curl/curl.h>

#include <utility>

#include "upstream/launchdarkly_endpoints.h"

namespace flagstone::upstream::launchdarkly {
namespace {

constexpr std::size_t kAnswerBytesMax = std::size_t{64} * 1024;
constexpr std::int64_t kMsPerSecond = 1000;

SendResult::Verdict verdict_of(int status) {
  if (status >= 200 && status < 300) return SendResult::Verdict::kAccepted;
  if (status == 400) return SendResult::Verdict::kRefused;
  if (status == 413) return SendResult::Verdict::kTooLarge;
  return SendResult::Verdict::kFailed;
}

}  // namespace

bool takes_events(const config::Source& source) {
  const std::string url = events_base(source).url;
  return url.starts_with("http://") || url.starts_with("https://");
}

void EventSender::send(const config::Source& source, const config::Secret& key,
                       std::vector<HttpHeader> headers, OutgoingBatch batch, Done done) {
  status_ = 0;
  result_ = {};
  done_ = std::move(done);
  batch_ = std::move(batch);
  const bool is_list = batch_.head.kind == PayloadKind::kEvents;
  HttpRequest request;
  HttpBase base = events_base(source);
  request.url = base.url + (is_list ? "/bulk" : "/diagnostic");
  request.unix_socket = std::move(base.unix_socket);
  request.headers = {{.name = "Authorization", .value = key.reveal(), .secret = true},
                     {.name = "Content-Type", .value = "application/json"},
                     {.name = "Content-Encoding", .value = "gzip"}};
  // SDKs give none to diagnostics: who does not look for it there is not disturbed.
  request.headers.push_back({.name = "X-LaunchDarkly-Payload-ID", .value = batch_.head.payload_id});
  if (is_list) {
    if (batch_.head.group.is_unsummarized) {
      request.headers.push_back({.name = "X-LaunchDarkly-Unsummarized", .value = "true"});
    }
    if (!batch_.head.group.schema.empty()) {
      request.headers.push_back(
          {.name = "X-LaunchDarkly-Event-Schema", .value = batch_.head.group.schema});
    }
  }
  const std::string& tags = batch_.head.group.tags;
  constexpr std::string_view kTags = "X-LaunchDarkly-Tags";
  for (HttpHeader& header : launchdarkly_headers(source.launchdarkly, instance_id_)) {
    // Those that came with the events count.
    if (header.name == kTags && !tags.empty()) continue;
    if (!header.value.empty()) request.headers.push_back(std::move(header));
  }
  if (!tags.empty()) request.headers.push_back({.name = std::string(kTags), .value = tags});
  for (HttpHeader& header : headers) request.headers.push_back(std::move(header));
  request.limits.body_bytes = kAnswerBytesMax;
  request.body = batch_.payload;
  request.ca_file = source.ca_file;
  request.client_certificate_file = source.client_certificate_file;
  request.client_key_file = source.client_key_file;
  request.proxy = source.proxy;
  exchange_ = http_.start(std::move(request), *this);
}

bool EventSender::on_head(const HttpHead& head) {
  status_ = head.status;
  result_.retry_after = parse_retry_after(head.find("retry-after"), clock_.unix_ms());
  if (const std::string date(head.find("date")); !date.empty()) {
    const std::int64_t seconds = curl_getdate(date.c_str(), nullptr);
    if (seconds > 0) result_.server_unix_ms = seconds * kMsPerSecond;
  }
  return false;  // The text says nothing to us.
}

void EventSender::on_end(const std::optional<HttpError>& error) {
  // The exchange lives until the next request: we are inside its call.
  if (status_ == 0 && error) {
    result_.cause = error->message;
  } else {
    result_.verdict = verdict_of(status_);
    result_.is_answer = true;
    result_.cause = "status " + std::to_string(status_);
    if (status_ == 401 || status_ == 403) result_.regime = Regime::kDenied;
  }
  std::exchange(done_, nullptr)(std::exchange(result_, {}), std::exchange(batch_, {}));
}

}  // namespace flagstone::upstream::launchdarkly
