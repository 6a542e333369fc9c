#include "sidecar/api/flagd_sync.h"

#include <utility>

#include "evaluation/dialects/flagd/wire/stream_messages.h"
#include "sidecar/entity_tag.h"
#include "sidecar/routing.h"
#include "sidecar/selected_flags.h"

namespace flagstone::sidecar {
namespace {

namespace wire = evaluation::flagd;
using net::RpcCode;
using net::RpcKind;

constexpr std::string_view kDialect = "flagd";
constexpr std::string_view kService = "/flagd.sync.v1.FlagSyncService/";
constexpr std::string_view kFlagsPath = "/v1/flags";
constexpr std::string_view kSelectorHeader = "flagd-selector";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kNotReady =
    "not all sources have answered yet, and there is no last known state of theirs";
constexpr std::string_view kTooLarge =
    "the flags with their evaluators make a document of more than 64 MiB, or more than the memory "
    "limit leaves for it";
constexpr std::int64_t kMsPerSecond = 1000;

}  // namespace

FlagdSync::FlagdSync(net::Loop& loop, ServingDesk& desk)
    : loop_(loop),
      desk_(desk),
      streams_(loop, desk, bytes_),
      context_json_(sync_context_json(desk.settings)),
      idle_body_timer_(loop, [this] {
        idle_body_.body.reset();
        count_bytes();
      }) {}

void FlagdSync::add_routes(net::Router& router) {
  using net::Method;
  const std::string service(kService);
  router.add<&FlagdSync::sync_flags>(Method::kPost, service + "SyncFlags", *this);
  router.add<&FlagdSync::fetch_all_flags>(Method::kPost, service + "FetchAllFlags", *this);
  router.add<&FlagdSync::get_metadata>(Method::kPost, service + "GetMetadata", *this);
  router.add<&FlagdSync::get_flags>(Method::kGet, kFlagsPath, *this);
  router.set_refusals<&FlagdSync::refuse>(kService, *this);
}

void FlagdSync::on_published() {
  // Nobody asks for the old one again.
  idle_body_.body.reset();
  streams_.on_published();
}

void FlagdSync::on_stopping() { streams_.close_all(); }

void FlagdSync::refuse(const net::Refusal& refusal, const net::Request& request,
                       net::Response& response) {
  desk_.counters.count_refused(evaluation::ErrorCode::kGeneral);
  net::RpcCall::refuse(refusal, request, response);
}

void FlagdSync::sync_flags(const net::Request& request, std::string_view, net::Response& response) {
  auto call = net::RpcCall::begin(RpcKind::kServerStream, request, response, desk_.rpc);
  if (!call) return;
  const auto selector = selector_of(*call);
  if (!selector) return;
  const auto asked = find_out(request, *selector);
  if (!asked) return call->fail(asked.error().code, asked.error().message);
  if (desk_.stopping) return call->fail(RpcCode::kUnavailable, "stopping");
  if (!streams_.has_room(asked->index, asked->selector)) {
    return call->fail(RpcCode::kResourceExhausted, "no further stream can be opened");
  }
  desk_.counters.event_streams_opened.add(1);
  streams_.add(asked->index, asked->selector, call->open_stream(loop_));
}

void FlagdSync::fetch_all_flags(const net::Request& request, std::string_view,
                                net::Response& response) {
  auto call = net::RpcCall::begin(RpcKind::kUnary, request, response, desk_.rpc);
  if (!call) return;
  const auto selector = selector_of(*call);
  if (!selector) return;
  const auto asked = find_out(request, *selector);
  if (!asked) return call->fail(asked.error().code, asked.error().message);
  if (!asked->environment->complete) {
    desk_.counters.count_refused(evaluation::ErrorCode::kProviderNotReady);
    return call->fail(RpcCode::kUnavailable, kNotReady);
  }
  const auto body = body_for(*asked);
  if (body == nullptr) return call->fail(RpcCode::kResourceExhausted, kTooLarge);
  if (call->codec() == net::RpcCodec::kProto) {
    wire::append_fetched_flags(call->reply(), body->document());
  } else {
    wire::append_fetched_flags_json(call->reply(), body->document());
  }
  call->send();
}

void FlagdSync::get_metadata(const net::Request& request, std::string_view,
                             net::Response& response) {
  auto call = net::RpcCall::begin(RpcKind::kUnary, request, response, desk_.rpc);
  if (!call) return;
  if (!desk_.settings.sync_metadata) {
    return call->fail(RpcCode::kUnimplemented, "GetMetadata is switched off");
  }
  const bool proto = call->codec() == net::RpcCodec::kProto;
  const auto read = proto ? wire::check_empty_request(call->message())
                          : wire::check_empty_request_json(call->message(), desk_.contexts);
  if (!read) return call->fail(RpcCode::kInvalidArgument, read.error());
  if (proto) {
    wire::StructWriter structs;
    wire::append_sync_metadata(call->reply(), context_json_, structs);
  } else {
    wire::append_sync_metadata_json(call->reply(), context_json_);
  }
  call->send();
}

void FlagdSync::get_flags(const net::Request& request, std::string_view, net::Response& response) {
  const auto asked = find_out(request, {});
  if (!asked) return refuse_http(asked.error(), response);
  const cache::EnvironmentState& environment = *asked->environment;
  if (!environment.complete) {
    desk_.counters.count_refused(evaluation::ErrorCode::kProviderNotReady);
    response.body() = kNotReady;
    return response.send(503, kText, {{"Retry-After", "1"}});
  }
  std::string facts(asked->selector.member_name());
  facts += '=';
  facts += asked->selector.value;
  for (const std::uint64_t fact : {identity_of(*asked), std::uint64_t{asked->index}}) {
    facts.append(reinterpret_cast<const char*>(&fact), sizeof fact);
  }
  const EntityTag etag(evaluation::digest128(facts));
  const std::int64_t changed_seconds = environment.changed_unix_ms / kMsPerSecond;
  const std::string changed = http_date(changed_seconds);
  const net::HeaderField validators[] = {
      {"ETag", etag.text()}, {"Last-Modified", changed}, {"Vary", "Flagd-Selector"}};
  bool unchanged = false;
  if (const auto tags = request.header("if-none-match")) {
    unchanged = etag.matches(*tags);
  } else if (const auto since = request.header("if-modified-since")) {
    // What changed within this very second may change once more within it.
    const bool settled = unix_now_ms() >= (changed_seconds + 1) * kMsPerSecond;
    const auto since_seconds = read_http_date(*since);
    unchanged = settled && since_seconds && changed_seconds <= *since_seconds;
  }
  if (unchanged) {
    desk_.counters.not_modified.add(1);
    return response.send(304, {}, validators);
  }
  const auto body = body_for(*asked);
  if (body == nullptr) {
    return refuse_http({RpcCode::kResourceExhausted, 507, std::string(kTooLarge)}, response);
  }
  response.body() = body->document();
  response.send(200, kJson, validators);
}

void FlagdSync::refuse_http(const Refused& refused, net::Response& response) {
  response.body() = refused.message;
  response.send(refused.status, kText);
}

std::optional<std::string_view> FlagdSync::selector_of(net::RpcCall& call) {
  const auto selector = call.codec() == net::RpcCodec::kProto
                            ? wire::read_sync_selector(call.message())
                            : wire::read_sync_selector_json(call.message(), desk_.contexts);
  if (selector) return *selector;
  call.fail(RpcCode::kInvalidArgument, selector.error());
  return std::nullopt;
}

std::expected<FlagdSync::Asked, FlagdSync::Refused> FlagdSync::find_out(
    const net::Request& request, std::string_view body_selector) const {
  const cache::ServingState& state = *desk_.state;
  const auto index = find_environment(state.routes, request);
  if (!index) {
    desk_.access.refused(AccessApi::kFlagd, index.error(), request);
    return std::unexpected(
        Refused{RpcCode::kUnauthenticated, 401, std::string(describe(index.error()))});
  }
  desk_.access.opened(*index);
  Asked asked{.index = index->environment,
              .environment = &state.environments[index->environment],
              .selector = {}};
  auto selector = Selector::parse(request.header(kSelectorHeader).value_or(body_selector));
  if (!selector) {
    return std::unexpected(Refused{RpcCode::kInvalidArgument, 400, std::move(selector.error())});
  }
  asked.selector = *selector;
  const cache::Snapshot* snapshot = asked.environment->snapshot.get();
  // Before there are any flags it is known, too, whose they will be.
  const std::string_view dialect =
      snapshot != nullptr ? snapshot->dialect().name() : asked.environment->dialect;
  if (!dialect.empty() && dialect != kDialect) {
    return std::unexpected(
        Refused{RpcCode::kFailedPrecondition, 404, "this environment's flags are not flagd's"});
  }
  return asked;
}

std::uint64_t FlagdSync::identity_of(const Asked& asked) {
  const bool same = identity_.known && identity_.environment == asked.index &&
                    identity_.generation == asked.environment->generation &&
                    identity_.kind == asked.selector.kind &&
                    identity_.selector_value == asked.selector.value;
  if (!same) {
    identity_ = {.environment = asked.index,
                 .generation = asked.environment->generation,
                 .kind = asked.selector.kind,
                 .selector_value = std::string(asked.selector.value),
                 .identity = selection_identity(*asked.environment->snapshot, asked.selector),
                 .known = true};
  }
  return identity_.identity;
}

std::shared_ptr<FlagdSyncBody> FlagdSync::body_for(const Asked& asked) {
  if (auto body = streams_.body(asked.index, asked.selector)) return body;
  const std::uint64_t identity = identity_of(asked);
  const bool same = idle_body_.body != nullptr && idle_body_.environment == asked.index &&
                    idle_body_.identity == identity && idle_body_.kind == asked.selector.kind &&
                    idle_body_.selector_value == asked.selector.value;
  if (!same) {
    idle_body_ = {.environment = asked.index,
                  .identity = identity,
                  .kind = asked.selector.kind,
                  .selector_value = std::string(asked.selector.value),
                  .body = FlagdSyncBody::make(*asked.environment->snapshot, asked.selector,
                                              context_json_, desk_.prepared_bytes_max())};
    if (idle_body_.body != nullptr) bytes_.track(idle_body_.body->message(net::RpcCodec::kProto));
    count_bytes();
  }
  idle_body_timer_.start_once(kIdleBodyMs);
  return idle_body_.body;
}

// What streams have is theirs; what is kept for the next who asks goes.
void FlagdSync::on_short_of_memory() {
  idle_body_ = {};
  count_bytes();
}

void FlagdSync::count_bytes() { desk_.counters.prepared_bytes.set(bytes_.sum()); }

}  // namespace flagstone::sidecar
