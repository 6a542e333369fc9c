#include "sidecar/api/launchdarkly_events.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "sidecar/routing.h"

namespace flagstone::sidecar {
namespace {

using upstream::PostResult;
using Kind = upstream::PostedEvents::Kind;

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::int64_t kLookMs = 250;
// What an app says of its events goes upstream as it is, so it may not be just anything.
constexpr std::size_t kSchemaBytesMax = 4;
constexpr std::size_t kPayloadIdBytesMax = 128;
constexpr std::size_t kTagsBytesMax = 1024;

void refuse(int status, std::string_view why, net::Response& response) {
  response.body() = why;
  response.send(status, kText);
}

void tell_to_try_again(net::Response& response,
                       std::string_view why = "no room for more events just now") {
  response.body() = why;
  response.send(503, kText, {{"Retry-After", "1"}});
}

// Empty when it is too long or has something in it that no header of these has.
std::string plain_header(const net::Request& request, std::string_view name,
                         std::size_t bytes_max) {
  const std::string_view value = request.header(name).value_or("");
  const bool plain = value.size() <= bytes_max &&
                     std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
  return plain ? std::string(value) : std::string();
}

std::string schema_of(const net::Request& request) {
  std::string schema = plain_header(request, "x-launchdarkly-event-schema", kSchemaBytesMax);
  const bool is_number = schema.find_first_not_of("0123456789") == std::string::npos;
  return is_number ? schema : std::string();
}

}  // namespace

LaunchDarklyEvents::LaunchDarklyEvents(net::Loop& loop, ServingDesk& desk)
    : loop_(loop), desk_(desk), timer_(loop, [this] { look_at_the_clock(); }) {}

void LaunchDarklyEvents::add_routes(net::Router& router) {
  router.add<&LaunchDarklyEvents::bulk>(net::Method::kPost, kBulkPath, *this);
  router.add<&LaunchDarklyEvents::diagnostic>(net::Method::kPost, "/diagnostic", *this);
}

void LaunchDarklyEvents::bulk(const net::Request& request, std::string_view,
                              net::Response& response) {
  take(Kind::kEvents, request, response);
}

void LaunchDarklyEvents::diagnostic(const net::Request& request, std::string_view,
                                    net::Response& response) {
  take(Kind::kDiagnostic, request, response);
}

void LaunchDarklyEvents::take(Kind kind, const net::Request& request, net::Response& response) {
  // They name no payload filter: of several environments of one key, one sends them.
  const auto route = find_environment(desk_.state->routes, request, false);
  if (!route) {
    const auto status = refusal_status(desk_.unknown_credentials, route.error(), request, response);
    if (!status) return;
    if (*status == 503) return tell_to_try_again(response, describe(route.error()));
    desk_.access.refused(AccessApi::kLaunchDarklyEvents, route.error(), request);
    return refuse(*status, describe(route.error()), response);
  }
  desk_.access.opened(*route);
  const std::string_view encoding = request.header("content-encoding").value_or("");
  const bool is_gzip = encoding == "gzip";
  if (!is_gzip && !encoding.empty() && encoding != "identity") {
    return refuse(400, "events may be compressed by gzip alone", response);
  }
  upstream::PostedEvents events{
      .kind = kind,
      .credential = std::string(presented_credential(request)),
      .schema = schema_of(request),
      .payload_id = plain_header(request, "x-launchdarkly-payload-id", kPayloadIdBytesMax),
      .tags = plain_header(request, "x-launchdarkly-tags", kTagsBytesMax),
      .is_unsummarized = request.header("x-launchdarkly-unsummarized") == "true",
      .is_gzip = is_gzip,
      .body = std::string(request.body)};
  // Memory that is short is not for what an SDK keeps and sends again.
  if (desk_.budget != nullptr && !desk_.budget->fits(events.body.size())) {
    return tell_to_try_again(response);
  }
  const std::uint64_t number = next_number_++;
  const bool taken = desk_.events.post(
      route->environment, std::move(events),
      lifeline_.guard([number](LaunchDarklyEvents& api, EventInlet::Result result) {
        api.answer(number, result);
      }));
  if (!taken) return tell_to_try_again(response);
  Waiting& waiting = waiting_[number];
  waiting.later = response.defer();
  waiting.since_ms = loop_.now_ms();
  waiting.later->set_on_gone([this, number] { forget(number); });
  if (!timer_.running()) timer_.start_repeating(kLookMs, kLookMs);
}

// It is answered, or who waited is gone. Nobody waits: the thread may sleep.
void LaunchDarklyEvents::forget(std::uint64_t number) {
  waiting_.erase(number);
  if (waiting_.empty()) timer_.stop();
}

void LaunchDarklyEvents::answer(std::uint64_t number, EventInlet::Result result) {
  const auto at = waiting_.find(number);
  if (at == waiting_.end()) return;
  const Waiting waiting = std::move(at->second);
  forget(number);
  if (!waiting.later->alive()) return;
  net::Response& response = waiting.later->response();
  if (!result) {
    return refuse(401, "this credential is none of an environment of LaunchDarkly's", response);
  }
  switch (*result) {
    case PostResult::kTaken:
      return response.send(202, {});
    case PostResult::kMalformed:
      return refuse(400, "the body is not the JSON that belongs here", response);
    case PostResult::kTooLarge:
      return refuse(413, "the body is too large once it is unpacked, or nested too deep", response);
    case PostResult::kFull:
      return tell_to_try_again(response);
  }
}

void LaunchDarklyEvents::look_at_the_clock() {
  std::vector<std::uint64_t> late;
  for (const auto& [number, waiting] : waiting_) {
    if (loop_.now_ms() - waiting.since_ms >= kWaitMsMax) late.push_back(number);
  }
  for (const std::uint64_t number : late) answer(number, PostResult::kFull);
}

}  // namespace flagstone::sidecar
