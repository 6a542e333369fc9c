#include "sidecar/api/ofrep.h"

#include "evaluation/utf8.h"
#include "net/media_type.h"
#include "net/percent.h"
#include "sidecar/api/ofrep_answer.h"
#include "sidecar/entity_tag.h"
#include "sidecar/routing.h"
#include "sidecar/selected_flags.h"

namespace flagstone::sidecar {
namespace {

using evaluation::ErrorCode;

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kPrefix = "/ofrep/";
constexpr std::string_view kSelectorHeader = "flagd-selector";
constexpr std::string_view kEventsPath = "/ofrep/v1/sse";
constexpr std::string_view kConfigEtagQuery = "flagConfigEtag";
constexpr std::string_view kUnreadable = "the flag's text cannot be read from the state directory";
constexpr net::HeaderField kRetrySoon[] = {{"Retry-After", "1"}};

LatencyHistogram& latency_of(ServingDesk& desk, Api api) {
  return desk.counters.latency[static_cast<std::size_t>(api)];
}

}  // namespace

Ofrep::Ofrep(net::Loop& loop, ServingDesk& desk)
    : desk_(desk), additions_(desk.settings), events_(loop, desk), bulk_(loop, desk, additions_) {}

void Ofrep::add_routes(net::Router& router) {
  using net::Method;
  router.add<&Ofrep::evaluate_one>(Method::kPost, "/ofrep/v1/evaluate/flags/{key}", *this);
  router.add<&Ofrep::evaluate_all>(Method::kPost, "/ofrep/v1/evaluate/flags", *this);
  // flagd answers with the slash too.
  router.add<&Ofrep::evaluate_all>(Method::kPost, "/ofrep/v1/evaluate/flags/", *this);
  router.add<&Ofrep::open_events>(Method::kGet, kEventsPath, *this);
  router.add<&Ofrep::open_events>(Method::kGet, "/ofrep/v1/sse/{channel}", *this);
  router.set_refusals<&Ofrep::refuse>(kPrefix, *this);
}

void Ofrep::evaluate_one(const net::Request& request, std::string_view key,
                         net::Response& response) {
  LatencyWatch watch(latency_of(desk_, Api::kOfrep));
  if (!evaluation::is_utf8(key)) {
    send_error(400, ErrorCode::kGeneral, {}, "the flag's key is not UTF-8", response);
    return;
  }
  auto asked = find_out(request, key, response);
  if (!asked) return;
  auto context = read_context(request, key, response);
  if (!context) return;
  const cache::Snapshot& snapshot = *asked->environment->snapshot;
  const cache::Entry* flag = asked->selector.kind == Selector::Kind::kEverything
                                 ? snapshot.find_flag(key)
                                 : snapshot.find_flag(filter_of(asked->selector), key);
  if (flag == nullptr && !asked->environment->complete) {
    // It may be in the document that a required source has yet to bring.
    send_not_ready(key, response);
    return;
  }
  if (flag == nullptr) {
    desk_.usage[asked->index]->count_unknown(key);
    desk_.counters.count(Api::kOfrep, asked->index, evaluation::Reason::kError);
    desk_.scratch.details.assign("flag `").append(key).append("` does not exist");
    append_error(response.body(), key, ErrorCode::kFlagNotFound, desk_.scratch.details);
    if (EvaluationReporter* const reporter = desk_.reporter(asked->index)) {
      reporter->report_unknown(key, *context, desk_.moment());
    }
    response.send(404, kJson);
    return;
  }
  evaluation::Moment moment = desk_.moment();
  const evaluation::Evaluation result =
      snapshot.evaluate(*flag, *context, moment, desk_.scratch, desk_.reader);
  if (!desk_.reader.waiting().empty() || desk_.reader.failed()) {
    return answer_late(key, response);
  }
  append_evaluation(response.body(), key, result,
                    AddedMetadata::of(*asked->environment, asked->selector, moment.unix_ms));
  desk_.count_asked(asked->index, *flag);
  desk_.counters.count(Api::kOfrep, asked->index, result.reason);
  if (EvaluationReporter* const reporter = desk_.reporter(asked->index)) {
    reporter->report(*context, result, /*wrong_type=*/false, moment);
  }
  response.send(ofrep_status(result.error), kJson);
}

// The flag's text is not in memory, or cannot be read at all.
void Ofrep::answer_late(std::string_view key, net::Response& response) {
  const auto again = [this, key = std::string(key)](const net::Request& request,
                                                    net::Response& later) {
    evaluate_one(request, key, later);
  };
  if (!desk_.reader.failed() && desk_.late.wait(desk_.reader.waiting(), response, again)) return;
  desk_.counters.count_refused(ErrorCode::kGeneral);
  append_error(response.body(), key, ErrorCode::kGeneral, kUnreadable);
  response.send(503, kJson, kRetrySoon);
}

void Ofrep::evaluate_all(const net::Request& request, std::string_view, net::Response& response) {
  LatencyWatch watch(latency_of(desk_, Api::kOfrepBulk));
  auto asked = find_out(request, {}, response);
  if (!asked) return;
  if (!asked->environment->complete) {
    // A provider would take what is missing for deleted.
    send_not_ready({}, response);
    return;
  }
  const Selection& selection =
      selection_of(*asked, request.header(kSelectorHeader).value_or(std::string_view()));
  if (selection.varies) {
    auto context = read_context(request, {}, response);
    if (!context) return;
    return send_all(*asked, *context, request, {}, response);
  }
  std::uint64_t facts[] = {selection.content_hash, asked->environment->stale ? 1u : 0u,
                           asked->index};
  bulk_hash_.reset();
  bulk_hash_.add({reinterpret_cast<const char*>(facts), sizeof facts});
  bulk_hash_.add(selection.selector);
  bulk_hash_.add(request.body);
  additions_.add_to(bulk_hash_, request);
  auto digest = bulk_hash_.digest128();
  const EntityTag etag(digest);
  // The client was told of a state that this one is not: it must get an answer, not a 304.
  std::optional<std::string_view> wanted = net::query_parameter(request.query, kConfigEtagQuery);
  bool as_wanted =
      !wanted || *wanted == OfrepEvents::config_etag(*asked->environment, selection.selector);
  auto if_none_match = request.header("if-none-match");
  if (if_none_match && as_wanted && etag.matches(*if_none_match)) {
    desk_.counters.not_modified.add(1);
    response.send(304, {}, {{"ETag", etag.text()}});
    return;
  }
  auto context = read_context(request, {}, response);
  if (!context) return;
  const net::HeaderField tag{"ETag", etag.text()};
  send_all(*asked, *context, request, {&tag, 1}, response);
}

void Ofrep::send_all(const Asked& asked, const evaluation::EvaluationContext& context,
                     const net::Request& request, std::span<const net::HeaderField> headers,
                     net::Response& response) {
  if (bulk_.answer(asked.index, selection_.selector, context, request, headers, response)) return;
  desk_.counters.count_refused(ErrorCode::kGeneral);
  append_error(response.body(), {}, ErrorCode::kGeneral, "too many large answers are under way");
  response.send(503, kJson, kRetrySoon);
}

void Ofrep::open_events(const net::Request& request, std::string_view channel,
                        net::Response& response) {
  auto asked = find_out(request, {}, response);
  if (!asked) return;
  std::string_view selector = request.header(kSelectorHeader).value_or(channel);
  if (auto parsed = Selector::parse(selector); !parsed) {
    send_error(400, ErrorCode::kGeneral, {}, parsed.error(), response);
    return;
  }
  if (desk_.stopping || !events_.open(asked->index, selector, response)) {
    response.body().clear();
    append_error(response.body(), {}, ErrorCode::kGeneral, "no further event stream can be opened");
    response.send(503, kJson, kRetrySoon);
  }
}

void Ofrep::refuse(const net::Refusal& refusal, const net::Request&, net::Response& response) {
  // A path that names no resource is the caller's mistake like any other: OFREP has no code of its
  // own for it.
  desk_.counters.count_refused(ErrorCode::kGeneral);
  append_error(response.body(), {}, ErrorCode::kGeneral, refusal.reason);
  response.send(refusal.status, kJson, refusal.headers);
}

std::optional<Ofrep::Asked> Ofrep::find_out(const net::Request& request, std::string_view key,
                                            net::Response& response) {
  Asked asked;
  asked.state = desk_.state.get();
  auto index = find_environment(asked.state->routes, request);
  if (!index) {
    desk_.access.refused(AccessApi::kOfrep, index.error(), request);
    send_error(401, ErrorCode::kGeneral, key, describe(index.error()), response);
    return std::nullopt;
  }
  desk_.access.opened(*index);
  asked.index = index->environment;
  asked.environment = &asked.state->environments[asked.index];
  auto selector = Selector::parse(request.header(kSelectorHeader).value_or(std::string_view()));
  if (!selector) {
    send_error(400, ErrorCode::kGeneral, key, selector.error(), response);
    return std::nullopt;
  }
  asked.selector = *selector;
  if (request.method == net::Method::kPost && !request.body.empty() &&
      !net::is_json_type(request.header("content-type").value_or(std::string_view()))) {
    send_error(415, ErrorCode::kGeneral, key, "send the body as Content-Type: application/json",
               response);
    return std::nullopt;
  }
  if (request.header("content-encoding").value_or("identity") != "identity") {
    send_error(415, ErrorCode::kGeneral, key, "send the body without Content-Encoding", response);
    return std::nullopt;
  }
  if (!asked.environment->snapshot) {
    send_not_ready(key, response);
    return std::nullopt;
  }
  return asked;
}

std::optional<evaluation::EvaluationContext> Ofrep::read_context(const net::Request& request,
                                                                 std::string_view key,
                                                                 net::Response& response) {
  // flagd takes an empty body and a body without a context for an empty context.
  if (request.body.empty()) return additions_.merge({}, request);
  auto context = desk_.contexts.read_member(request.body, "context");
  if (context) return additions_.merge(*context, request);
  if (context.error().kind == evaluation::ContextError::Kind::kMissing) {
    return additions_.merge({}, request);
  }
  send_error(400, ErrorCode::kInvalidContext, key, context.error().message, response);
  return std::nullopt;
}

void Ofrep::send_error(int status, ErrorCode code, std::string_view key, std::string_view details,
                       net::Response& response) {
  desk_.counters.count_refused(code);
  append_error(response.body(), key, code, details);
  response.send(status, kJson);
}

void Ofrep::send_not_ready(std::string_view key, net::Response& response) {
  desk_.counters.count_refused(ErrorCode::kProviderNotReady);
  append_error(response.body(), key, ErrorCode::kProviderNotReady,
               "not all sources have answered yet, and there is no last known state of theirs");
  response.send(503, kJson, kRetrySoon);
}

const Ofrep::Selection& Ofrep::selection_of(const Asked& asked, std::string_view selector) {
  const cache::Snapshot& snapshot = *asked.environment->snapshot;
  if (selection_.environment != asked.index ||
      selection_.generation != asked.environment->generation || selection_.selector != selector) {
    selection_ = {.environment = asked.index,
                  .generation = asked.environment->generation,
                  .selector = std::string(selector),
                  .content_hash = selected_content_hash(snapshot, asked.selector),
                  .varies = selection_varies_by_itself(snapshot, asked.selector, desk_.reader)};
  }
  return selection_;
}

}  // namespace flagstone::sidecar
