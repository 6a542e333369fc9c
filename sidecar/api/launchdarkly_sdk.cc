#include "sidecar/api/launchdarkly_sdk.h"

#include <cstring>
#include <utility>

#include "evaluation/content_hash.h"
#include "net/percent.h"
#include "sidecar/api/launchdarkly_sdk_access.h"
#include "sidecar/entity_tag.h"
#include "upstream/random_bytes.h"

namespace flagstone::sidecar {
namespace {

namespace wire = evaluation::launchdarkly;
using wire::DocumentForm;

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kEventStream = "text/event-stream; charset=utf-8";
constexpr std::string_view kUnreadable = "a text cannot be read from the state directory (now)";
constexpr std::string_view kTooMany = "too many large answers are under way";
// `Authorization` chooses the data.
constexpr net::HeaderField kVary{"Vary", "Authorization"};

template <typename Number>
void add_number(std::string& facts, Number number) {
  facts.append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace

std::uint64_t LaunchDarklySdk::chance() {
  std::uint64_t number = 0;
  std::memcpy(&number, upstream::random_bytes(sizeof number).data(), sizeof number);
  return number;
}

LaunchDarklySdk::LaunchDarklySdk(net::Loop& loop, ServingDesk& desk, std::uint64_t process)
    : desk_(desk),
      mirror_(desk, process),
      slices_(loop, desk),
      streams_(loop, desk, mirror_, slices_) {}

void LaunchDarklySdk::add_routes(net::Router& router) {
  using net::Method;
  using Self = LaunchDarklySdk;
  router.add<&Self::stream_all>(Method::kGet, "/all", *this);
  router.add<&Self::stream_flags>(Method::kGet, "/flags", *this);
  router.add<&Self::stream_transfer>(Method::kGet, "/sdk/stream", *this);
  router.add<&Self::latest_all>(Method::kGet, "/sdk/latest-all", *this);
  router.add<&Self::all_flags>(Method::kGet, "/sdk/flags", *this);
  router.add<&Self::poll_transfer>(Method::kGet, "/sdk/poll", *this);
  router.add<&Self::one_flag>(Method::kGet, "/sdk/flags/{key}", *this);
  router.add<&Self::one_segment>(Method::kGet, "/sdk/segments/{key}", *this);
}

void LaunchDarklySdk::on_published() {
  mirror_.catch_up();
  streams_.on_published();
}

std::optional<std::size_t> LaunchDarklySdk::open(const net::Request& request,
                                                 net::Response& response) {
  mirror_.catch_up();
  return open_sdk_environment(desk_, request, response);
}

std::optional<std::size_t> LaunchDarklySdk::open_with_data(const net::Request& request,
                                                           net::Response& response) {
  const auto environment = open(request, response);
  if (!environment || mirror_.book(*environment).has_data) return environment;
  desk_.counters.count_refused(evaluation::ErrorCode::kProviderNotReady);
  refuse_sdk(response, 503, kSdkNoData);
  return std::nullopt;
}

void LaunchDarklySdk::stream_all(const net::Request& request, std::string_view,
                                 net::Response& response) {
  stream(request, SdkAudience::kAll, response);
}

void LaunchDarklySdk::stream_flags(const net::Request& request, std::string_view,
                                   net::Response& response) {
  stream(request, SdkAudience::kFlagsOnly, response);
}

void LaunchDarklySdk::stream_transfer(const net::Request& request, std::string_view,
                                      net::Response& response) {
  stream(request, SdkAudience::kTransfer, response);
}

void LaunchDarklySdk::stream(const net::Request& request, SdkAudience audience,
                             net::Response& response) {
  const auto environment = open(request, response);
  if (!environment) return;
  if (desk_.stopping) return refuse_sdk(response, 503, "stopping");
  if (!streams_.has_room()) return refuse_sdk(response, 503, "no further stream can be opened");
  std::optional<std::uint64_t> basis;
  if (audience == SdkAudience::kTransfer) basis = basis_of(request, *environment);
  const net::HeaderField fields[] = {{"Cache-Control", "no-cache, no-store, must-revalidate"},
                                     {"X-Accel-Buffering", "no"}};
  desk_.counters.event_streams_opened.add(1);
  streams_.add(*environment, audience, basis, response.open_stream(200, kEventStream, fields));
}

void LaunchDarklySdk::latest_all(const net::Request& request, std::string_view,
                                 net::Response& response) {
  document(request, DocumentForm::kLatestAll, response);
}

void LaunchDarklySdk::all_flags(const net::Request& request, std::string_view,
                                net::Response& response) {
  document(request, DocumentForm::kFlags, response);
}

bool LaunchDarklySdk::answer_unchanged(const net::Request& request, const std::string& facts,
                                       net::Response& response, std::string& etag) {
  const EntityTag tag(evaluation::digest128(facts));
  etag = tag.text();
  const auto known = request.header("if-none-match");
  if (!known || !tag.matches(*known)) return false;
  desk_.counters.not_modified.add(1);
  response.send(304, {}, {{"ETag", etag}, kVary});
  return true;
}

void LaunchDarklySdk::document(const net::Request& request, DocumentForm form,
                               net::Response& response) {
  const auto environment = open_with_data(request, response);
  if (!environment) return;
  const cache::EnvironmentState& state = mirror_.environment(*environment);
  std::string facts = state.name;
  add_number(facts, state.snapshot->content_hash());
  add_number(facts, form);
  std::string etag;
  if (answer_unchanged(request, facts, response, etag)) return;
  answer_whole(*environment, form, etag, response);
}

void LaunchDarklySdk::answer_whole(std::size_t environment, DocumentForm form,
                                   std::string_view etag, net::Response& response) {
  SdkDocumentText text(desk_, environment, SdkDocument(form, SdkTarget(mirror_, environment)));
  const net::HeaderField fields[] = {{"ETag", etag}, kVary};
  switch (slices_.answer(text, fields, response)) {
    case SlicedAnswers::Answered::kYes:
      return;
    case SlicedAnswers::Answered::kTooMany:
      return refuse_sdk(response, 503, kTooMany);
    case SlicedAnswers::Answered::kUnreadable:
      return refuse_sdk(response, 503, kUnreadable);
  }
}

std::optional<std::uint64_t> LaunchDarklySdk::basis_of(const net::Request& request,
                                                       std::size_t environment) {
  const auto raw = net::query_parameter(request.query, "basis");
  if (!raw || !mirror_.book(environment).has_data) return std::nullopt;
  basis_.clear();
  if (!net::percent_decode(*raw, basis_)) return std::nullopt;
  const auto generation = mirror_.generation_of(environment, basis_);
  if (!generation || !mirror_.book(environment).log.knows(*generation)) return std::nullopt;
  return generation;
}

void LaunchDarklySdk::poll_transfer(const net::Request& request, std::string_view parameter,
                                    net::Response& response) {
  const auto environment = open_with_data(request, response);
  if (!environment) return;
  const SdkTarget target(mirror_, *environment);
  std::string etag;
  // It names where the client stands, so it does not matter from where he came.
  if (answer_unchanged(request, "transfer " + target.state, response, etag)) return;
  const auto basis = basis_of(request, *environment);
  if (!basis) return answer_whole(*environment, DocumentForm::kPolledTransfer, etag, response);
  std::string& body = response.body();
  if (*basis == mirror_.book(*environment).log.newest()) {
    body += wire::poll_begin();
    append_intent(body, wire::Delivery::kPoll, wire::Intent::kNone, "up-to-date", target.view());
    body += wire::poll_end();
    return response.send(200, kJson, {{"ETag", etag}, kVary});
  }
  desk_.reader.begin(*mirror_.environment(*environment).snapshot);
  switch (append_sdk_delta(mirror_, *environment, *basis, SdkAudience::kPolledTransfer,
                           desk_.reader, body)) {
    case SdkDelta::kWritten:
      return response.send(200, kJson, {{"ETag", etag}, kVary});
    case SdkDelta::kNeedsFull:
      return answer_whole(*environment, DocumentForm::kPolledTransfer, etag, response);
    case SdkDelta::kNeedsDisk:
      return answer_when_read(response, &LaunchDarklySdk::poll_transfer, parameter);
    case SdkDelta::kFailed:
      return refuse_sdk(response, 503, kUnreadable);
  }
}

void LaunchDarklySdk::one_flag(const net::Request& request, std::string_view key,
                               net::Response& response) {
  one(request, evaluation::kFlagKind, key, response);
}

void LaunchDarklySdk::one_segment(const net::Request& request, std::string_view key,
                                  net::Response& response) {
  one(request, wire::kSegmentKind, key, response);
}

void LaunchDarklySdk::one(const net::Request& request, evaluation::RecordKind kind,
                          std::string_view key, net::Response& response) {
  const auto environment = open_with_data(request, response);
  if (!environment) return;
  const cache::Snapshot& snapshot = *mirror_.environment(*environment).snapshot;
  const bool is_flag = kind == evaluation::kFlagKind;
  const cache::Entry* entry = snapshot.find_record_in_any_set(kind, key);
  const cache::Entry* answering = entry == nullptr ? nullptr : entry->answering();
  if (answering == nullptr) {
    return refuse_sdk(response, 404, is_flag ? "no such flag" : "no such segment");
  }
  std::string facts = "object";
  add_number(facts, answering->text_hash());
  add_number(facts, answering->version());
  std::string etag;
  if (answer_unchanged(request, facts, response, etag)) return;
  desk_.reader.begin(snapshot);
  if (desk_.reader.append_text_of(*answering, response.body())) {
    return response.send(200, kJson, {{"ETag", etag}, kVary});
  }
  if (desk_.reader.waiting().empty()) return refuse_sdk(response, 503, kUnreadable);
  answer_when_read(response, is_flag ? &LaunchDarklySdk::one_flag : &LaunchDarklySdk::one_segment,
                   key);
}

void LaunchDarklySdk::answer_when_read(net::Response& response,
                                       void (LaunchDarklySdk::*again)(const net::Request&,
                                                                      std::string_view,
                                                                      net::Response&),
                                       std::string_view parameter) {
  const bool waits = desk_.late.wait(desk_.reader.waiting(), response,
                                     [this, again, parameter = std::string(parameter)](
                                         const net::Request& request, net::Response& later) {
                                       (this->*again)(request, parameter, later);
                                     });
  if (!waits) refuse_sdk(response, 503, kUnreadable);
}

}  // namespace flagstone::sidecar
