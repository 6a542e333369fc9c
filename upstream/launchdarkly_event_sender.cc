#include "upstream/launchdarkly_event_sender.h"

#include <curl/curl.h>

#include <utility>

#include "net/percent.h"
#include "upstream/http_url.h"

namespace flagstone::upstream::launchdarkly {
namespace {

constexpr std::string_view kUnixScheme = "http+unix://";
constexpr std::string_view kDataHost = "sdk.";
constexpr std::string_view kEventsHost = "events.";
constexpr std::size_t kAnswerBytesMax = std::size_t{64} * 1024;
constexpr std::int64_t kMsPerSecond = 1000;

std::string without_slash(std::string text) {
  while (text.ends_with('/')) text.pop_back();
  return text;
}

bool is_launchdarkly(std::string_view host) {
  return host.ends_with(".launchdarkly.com") || host.ends_with(".launchdarkly.us");
}

// "application-id/x application-version/y", as SDKs write it.
std::string tags_of(const config::Source& source) {
  std::string text;
  for (const auto& [name, value] : source.launchdarkly.tags) {
    if (!text.empty()) text += ' ';
    text += name;
    text += '/';
    text += value;
  }
  return text;
}

SendResult::Verdict verdict_of(int status) {
  if (status >= 200 && status < 300) return SendResult::Verdict::kAccepted;
  if (status == 400) return SendResult::Verdict::kRefused;
  if (status == 413) return SendResult::Verdict::kTooLarge;
  return SendResult::Verdict::kFailed;
}

// The place itself, for curl: a socket's path stands where a host would.
bool set_place(HttpRequest& request, std::string uri, std::string_view path) {
  if (uri.starts_with(kUnixScheme)) {
    const std::string rest = uri.substr(kUnixScheme.size());
    const std::size_t end = std::min(rest.find('/'), rest.size());
    if (!net::percent_decode(rest.substr(0, end), request.unix_socket)) return false;
    uri = "http://localhost" + rest.substr(end);
  }
  request.url = uri + std::string(path);
  return true;
}

}  // namespace

std::string events_uri_of(const config::Source& source) {
  if (!source.launchdarkly.events_uri.empty()) {
    return without_slash(source.launchdarkly.events_uri);
  }
  const auto url = HttpUrl::parse(source.uri);
  if (url && url->host.starts_with(kDataHost) && is_launchdarkly(url->host)) {
    std::string uri = url->scheme + "://";
    uri += kEventsHost;
    return uri + url->host.substr(kDataHost.size());
  }
  return without_slash(source.uri);
}

bool takes_events(const config::Source& source) {
  const std::string uri = events_uri_of(source);
  return uri.starts_with("http://") || uri.starts_with("https://") || uri.starts_with(kUnixScheme);
}

void EventSender::send(const config::Source& source, const config::Secret& key,
                       std::vector<HttpHeader> headers, const OutgoingBatch& batch, Done done) {
  status_ = 0;
  result_ = {};
  done_ = std::move(done);
  const bool is_list = batch.head.kind == PayloadKind::kEvents;
  HttpRequest request;
  (void)set_place(request, events_uri_of(source), is_list ? "/bulk" : "/diagnostic");
  request.headers = {{.name = "Authorization", .value = key.reveal(), .secret = true},
                     {.name = "Content-Type", .value = "application/json"},
                     {.name = "Content-Encoding", .value = "gzip"}};
  if (is_list) {
    if (batch.head.group.is_unsummarized) {
      request.headers.push_back({.name = "X-LaunchDarkly-Unsummarized", .value = "true"});
    }
    request.headers.push_back(
        {.name = "X-LaunchDarkly-Payload-ID", .value = batch.head.payload_id});
    if (!batch.head.group.schema.empty()) {
      request.headers.push_back(
          {.name = "X-LaunchDarkly-Event-Schema", .value = batch.head.group.schema});
    }
  }
  if (!instance_id_.empty()) {
    request.headers.push_back({.name = "X-LaunchDarkly-Instance-Id", .value = instance_id_});
  }
  const std::string tags = batch.head.group.tags.empty() ? tags_of(source) : batch.head.group.tags;
  if (!tags.empty()) request.headers.push_back({.name = "X-LaunchDarkly-Tags", .value = tags});
  if (!source.launchdarkly.wrapper.empty()) {
    request.headers.push_back(
        {.name = "X-LaunchDarkly-Wrapper", .value = source.launchdarkly.wrapper});
  }
  for (HttpHeader& header : headers) request.headers.push_back(std::move(header));
  request.limits.body_bytes = kAnswerBytesMax;
  request.body = batch.payload;
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
  std::exchange(done_, nullptr)(std::exchange(result_, {}));
}

}  // namespace flagstone::upstream::launchdarkly
