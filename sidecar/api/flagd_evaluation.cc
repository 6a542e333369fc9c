#include "sidecar/api/flagd_evaluation.h"

#include <array>

#include "sidecar/routing.h"
#include "sidecar/selected_flags.h"

namespace flagstone::sidecar {
namespace {

using evaluation::ErrorCode;
using evaluation::Evaluation;
using evaluation::Reason;
using evaluation::ValueType;
using evaluation::flagd::AnswerCodec;
using evaluation::flagd::AskedType;
using evaluation::flagd::ServiceVersion;
using evaluation::flagd::TypedValue;
using net::RpcCode;

constexpr std::string_view kSelectorHeader = "flagd-selector";
// Texts that one call has the disk bring at a time; the rest is found out when it is asked again.
constexpr std::size_t kUnreadTextsMax = 4096;
constexpr std::string_view kUnreadable = "the flag's text cannot be read from the state directory";
// What flagd calls a missing default inside, and schema.v1 outside.
constexpr std::string_view kFallbackReason = "FALLBACK";

struct Method {
  std::string_view path;
  ServiceVersion version;
  AskedType type;
};

constexpr std::array<Method, 15> kMethods = {{
    {"/flagd.evaluation.v1.Service/ResolveBoolean", ServiceVersion::kV1, AskedType::kBoolean},
    {"/flagd.evaluation.v1.Service/ResolveString", ServiceVersion::kV1, AskedType::kString},
    {"/flagd.evaluation.v1.Service/ResolveFloat", ServiceVersion::kV1, AskedType::kFloat},
    {"/flagd.evaluation.v1.Service/ResolveInt", ServiceVersion::kV1, AskedType::kInt},
    {"/flagd.evaluation.v1.Service/ResolveObject", ServiceVersion::kV1, AskedType::kObject},
    {"/flagd.evaluation.v2.Service/ResolveBoolean", ServiceVersion::kV2, AskedType::kBoolean},
    {"/flagd.evaluation.v2.Service/ResolveString", ServiceVersion::kV2, AskedType::kString},
    {"/flagd.evaluation.v2.Service/ResolveFloat", ServiceVersion::kV2, AskedType::kFloat},
    {"/flagd.evaluation.v2.Service/ResolveInt", ServiceVersion::kV2, AskedType::kInt},
    {"/flagd.evaluation.v2.Service/ResolveObject", ServiceVersion::kV2, AskedType::kObject},
    {"/schema.v1.Service/ResolveBoolean", ServiceVersion::kSchema, AskedType::kBoolean},
    {"/schema.v1.Service/ResolveString", ServiceVersion::kSchema, AskedType::kString},
    {"/schema.v1.Service/ResolveFloat", ServiceVersion::kSchema, AskedType::kFloat},
    {"/schema.v1.Service/ResolveInt", ServiceVersion::kSchema, AskedType::kInt},
    {"/schema.v1.Service/ResolveObject", ServiceVersion::kSchema, AskedType::kObject},
}};

struct BulkMethod {
  std::string_view path;
  ServiceVersion version;
};
constexpr std::array<BulkMethod, 2> kBulkMethods = {{
    {"/flagd.evaluation.v1.Service/ResolveAll", ServiceVersion::kV1},
    {"/schema.v1.Service/ResolveAll", ServiceVersion::kSchema},
}};

constexpr std::array<std::string_view, 2> kPrefixes = {"/flagd.evaluation.", "/schema.v1."};

// What flagd says of an error, by code and for people (core/pkg/model/error.go).
struct Failure {
  RpcCode code;
  std::string_view text;
};
Failure failure_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kFlagNotFound:
      return {RpcCode::kNotFound, "Flag not found"};
    case ErrorCode::kTypeMismatch:
      return {RpcCode::kInvalidArgument, "Type mismatch error"};
    case ErrorCode::kParseError:
      return {RpcCode::kDataLoss, "Error parsing input or configuration"};
    case ErrorCode::kInvalidContext:
      return {RpcCode::kInvalidArgument, "Invalid context provided"};
    case ErrorCode::kProviderNotReady:
      return {RpcCode::kUnavailable, "Not ready"};
    case ErrorCode::kNone:
    case ErrorCode::kTargetingKeyMissing:
    case ErrorCode::kGeneral:
      break;
  }
  return {RpcCode::kUnknown, "General error"};
}

constexpr std::string_view kNotReady =
    "not all sources have answered yet, and there is no last known state of theirs";

AnswerCodec codec_of(const net::RpcCall& call) {
  return call.codec() == net::RpcCodec::kJson ? AnswerCodec::kJson : AnswerCodec::kProto;
}

// What ResolveAll calls a value; nullopt for those it cannot say, arrays and null.
std::optional<AskedType> any_type(ValueType type) {
  switch (type) {
    case ValueType::kBool:
      return AskedType::kBoolean;
    case ValueType::kString:
      return AskedType::kString;
    case ValueType::kNumber:
      return AskedType::kFloat;
    case ValueType::kObject:
      return AskedType::kObject;
    case ValueType::kNone:
    case ValueType::kNull:
    case ValueType::kArray:
      break;
  }
  return std::nullopt;
}

}  // namespace

FlagdEvaluation::FlagdEvaluation(ServingDesk& desk) : desk_(desk), additions_(desk.settings) {}

template <std::size_t row>
void FlagdEvaluation::resolve_row(const net::Request& request, std::string_view,
                                  net::Response& response) {
  resolve(kMethods[row].version, kMethods[row].type, request, response);
}

template <std::size_t row>
void FlagdEvaluation::resolve_all_row(const net::Request& request, std::string_view,
                                      net::Response& response) {
  resolve_all(kBulkMethods[row].version, request, response);
}

template <std::size_t... rows>
void FlagdEvaluation::add_methods(net::Router& router, std::index_sequence<rows...>) {
  (router.add<&FlagdEvaluation::resolve_row<rows>>(net::Method::kPost, kMethods[rows].path, *this),
   ...);
}

template <std::size_t... rows>
void FlagdEvaluation::add_bulk_methods(net::Router& router, std::index_sequence<rows...>) {
  (router.add<&FlagdEvaluation::resolve_all_row<rows>>(net::Method::kPost, kBulkMethods[rows].path,
                                                       *this),
   ...);
}

void FlagdEvaluation::add_routes(net::Router& router) {
  add_methods(router, std::make_index_sequence<kMethods.size()>());
  add_bulk_methods(router, std::make_index_sequence<kBulkMethods.size()>());
  for (const std::string_view prefix : kPrefixes) {
    router.set_refusals<&FlagdEvaluation::refuse>(prefix, *this);
  }
}

void FlagdEvaluation::refuse(const net::Refusal& refusal, const net::Request& request,
                             net::Response& response) {
  desk_.counters.count_refused(ErrorCode::kGeneral);
  net::RpcCall::refuse(refusal, request, response);
}

void FlagdEvaluation::resolve(ServiceVersion version, AskedType type, const net::Request& request,
                              net::Response& response) {
  LatencyWatch watch(desk_.counters.latency[static_cast<std::size_t>(Api::kFlagdEvaluation)]);
  auto call = net::RpcCall::begin(net::RpcKind::kUnary, request, response, desk_.rpc);
  if (!call) return desk_.counters.count_refused(ErrorCode::kGeneral);
  auto asked = find_out(version, request, *call);
  if (!asked) return;
  auto message = codec_of(*call) == AnswerCodec::kJson
                     ? requests_.read_json(call->message(), desk_.contexts)
                     : requests_.read(call->message());
  if (!message) return refuse_request(*call, ErrorCode::kInvalidContext, message.error());

  const cache::Snapshot& snapshot = *asked->environment->snapshot;
  const std::string_view key = message->flag_key;
  const cache::Entry* flag = asked->selector.kind == Selector::Kind::kEverything
                                 ? snapshot.find_flag(key)
                                 : snapshot.find_flag(filter_of(asked->selector), key);
  if (flag == nullptr && !asked->environment->complete) {
    // It may be in the document that a required source has yet to bring.
    return refuse_request(*call, ErrorCode::kProviderNotReady, kNotReady);
  }
  if (flag == nullptr) {
    desk_.usage[asked->index]->count_unknown(key);
    desk_.counters.count(Api::kFlagdEvaluation, asked->index, Reason::kError);
    if (EvaluationReporter* const reporter = desk_.reporter(asked->index)) {
      reporter->report_unknown(key, with_additions(*asked, message->context, request),
                               desk_.moment());
    }
    return fail(*call, ErrorCode::kFlagNotFound);
  }
  const auto context = with_additions(*asked, message->context, request);
  const evaluation::Moment moment = desk_.moment();
  const Evaluation result = snapshot.evaluate(*flag, context, moment, desk_.scratch, desk_.reader);
  if (!desk_.reader.waiting().empty() || desk_.reader.failed()) {
    const auto again = [this, version, type](const net::Request& kept, net::Response& later) {
      resolve(version, type, kept, later);
    };
    if (!desk_.reader.failed() && desk_.late.wait(desk_.reader.waiting(), response, again)) return;
    desk_.counters.count_refused(ErrorCode::kGeneral);
    return call->fail(RpcCode::kUnavailable, kUnreadable);
  }
  desk_.count_asked(asked->index, *flag);
  const ErrorCode error = answer(*asked, result, type, moment.unix_ms, *call);
  if (EvaluationReporter* const reporter = desk_.reporter(asked->index)) {
    reporter->report(context, result, error == ErrorCode::kTypeMismatch, moment);
  }
}

ErrorCode FlagdEvaluation::answer(const Asked& asked, const Evaluation& result, AskedType type,
                                  std::int64_t now_unix_ms, net::RpcCall& call) {
  const auto count = [&](Reason reason) {
    desk_.counters.count(Api::kFlagdEvaluation, asked.index, reason);
  };
  // A flag that is off without a value is told by its reason; others have to tell otherwise.
  const bool without_default = result.error == ErrorCode::kNone &&
                               result.type == ValueType::kNone &&
                               result.reason != Reason::kDisabled;
  ErrorCode error = result.error;
  std::optional<TypedValue> value;
  if (error == ErrorCode::kNone && result.type != ValueType::kNone) {
    value = typed_value(result, type, desk_.settings.loose_types, cast_);
    if (!value) error = ErrorCode::kTypeMismatch;
  } else if (without_default && asked.version == ServiceVersion::kV1) {
    error = ErrorCode::kFlagNotFound;  // As flagd: v1 has no way to say "take your own default".
  }
  if (error != ErrorCode::kNone) {
    count(Reason::kError);
    fail(call, error, result.error_details);
    return error;
  }
  count(result.reason);
  const bool schema_fallback = without_default && asked.version == ServiceVersion::kSchema;
  const AddedMetadata added = AddedMetadata::of(*asked.environment, asked.selector, now_unix_ms);
  answers_.append(call.reply(), codec_of(call), asked.version,
                  {.type = type,
                   .value = value ? &*value : nullptr,
                   .reason = schema_fallback ? kFallbackReason : reason_name(result.reason),
                   .variant = result.variant,
                   .variant_json = result.variant_json,
                   .metadata_json = metadata_of(result.metadata_members, added)});
  call.send();
  return error;
}

void FlagdEvaluation::resolve_all(ServiceVersion version, const net::Request& request,
                                  net::Response& response) {
  LatencyWatch watch(desk_.counters.latency[static_cast<std::size_t>(Api::kFlagdResolveAll)]);
  auto call = net::RpcCall::begin(net::RpcKind::kUnary, request, response, desk_.rpc);
  if (!call) return desk_.counters.count_refused(ErrorCode::kGeneral);
  auto asked = find_out(version, request, *call);
  if (!asked) return;
  if (!asked->environment->complete) {
    // A provider would take what is missing for deleted.
    return refuse_request(*call, ErrorCode::kProviderNotReady, kNotReady);
  }
  auto context = codec_of(*call) == AnswerCodec::kJson
                     ? requests_.read_all_json(call->message(), desk_.contexts)
                     : requests_.read_all(call->message());
  if (!context) return refuse_request(*call, ErrorCode::kInvalidContext, context.error());
  std::vector<cache::TextPlace> unread;
  if (append_all(*asked, with_additions(*asked, *context, request), unread, *call)) {
    return call->send();
  }
  // What is missing would look deleted: all of it is read first, or the answer is none.
  const auto again = [this, version](const net::Request& kept, net::Response& later) {
    resolve_all(version, kept, later);
  };
  if (!unread.empty() && desk_.late.wait(unread, response, again)) return;
  desk_.counters.count_refused(ErrorCode::kGeneral);
  call->fail(RpcCode::kUnavailable, kUnreadable);
}

bool FlagdEvaluation::append_all(const Asked& asked, const evaluation::EvaluationContext& context,
                                 std::vector<cache::TextPlace>& unread, net::RpcCall& call) {
  const cache::Snapshot& snapshot = *asked.environment->snapshot;
  const evaluation::Moment moment = desk_.moment();
  const AddedMetadata added = AddedMetadata::of(*asked.environment, asked.selector, moment.unix_ms);
  std::string& body = call.reply();
  answers_.begin_all(body, codec_of(call), asked.version);
  bool failed = false;
  cache::Snapshot::Walk walk(filter_of(asked.selector));
  while (const cache::Entry* flag = snapshot.next_flag(walk)) {
    const Evaluation result =
        snapshot.evaluate(*flag, context, moment, desk_.scratch, desk_.reader);
    if (desk_.reader.failed()) failed = true;
    for (const cache::TextPlace place : desk_.reader.waiting()) {
      if (unread.size() < kUnreadTextsMax) unread.push_back(place);
    }
    if (failed || !unread.empty()) continue;
    desk_.counters.count(Api::kFlagdResolveAll, asked.index, result.reason);
    desk_.count_in_bulk(asked.index, *flag);
    const auto type = any_type(result.type);
    // As flagd: what failed, has no default or is no type of AnyFlag is left out. A flag that is
    // off may have a value (LaunchDarkly's), which is then as any other.
    const bool off = result.reason == Reason::kDisabled && result.type == ValueType::kNone;
    if (!type && !off) continue;
    std::optional<TypedValue> value;
    if (type) value = typed_value(result, *type, false, cast_);
    answers_.append_flag(body, flag->key(),
                         {.value = value ? &*value : nullptr,
                          .reason = reason_name(result.reason),
                          .variant = result.variant,
                          .variant_json = result.variant_json,
                          .metadata_json = metadata_of(result.metadata_members, added)});
  }
  if (failed) unread.clear();
  if (failed || !unread.empty()) {
    body.clear();
    return false;
  }
  answers_.end_all(body, metadata_of({}, added));
  return true;
}

std::optional<FlagdEvaluation::Asked> FlagdEvaluation::find_out(ServiceVersion version,
                                                                const net::Request& request,
                                                                net::RpcCall& call) {
  const cache::ServingState& state = *desk_.state;
  Asked asked;
  asked.version = version;
  const auto index = find_environment(state.routes, request);
  if (!index) {
    desk_.access.refused(AccessApi::kFlagd, index.error(), request);
    desk_.counters.count_refused(ErrorCode::kGeneral);
    call.fail(RpcCode::kUnauthenticated, describe(index.error()));
    return std::nullopt;
  }
  desk_.access.opened(*index);
  asked.index = index->environment;
  asked.environment = &state.environments[asked.index];
  const auto selector =
      Selector::parse(request.header(kSelectorHeader).value_or(std::string_view()));
  if (!selector) {
    desk_.counters.count_refused(ErrorCode::kGeneral);
    call.fail(RpcCode::kInvalidArgument, selector.error());
    return std::nullopt;
  }
  asked.selector = *selector;
  if (!asked.environment->snapshot) {
    refuse_request(call, ErrorCode::kProviderNotReady, kNotReady);
    return std::nullopt;
  }
  return asked;
}

evaluation::EvaluationContext FlagdEvaluation::with_additions(
    const Asked& asked, const evaluation::EvaluationContext& context, const net::Request& request) {
  return additions_.merge(context, request,
                          asked.version == ServiceVersion::kSchema
                              ? ContextAdditions::Headers::kIgnored
                              : ContextAdditions::Headers::kMapped);
}

std::string_view FlagdEvaluation::metadata_of(std::string_view members,
                                              const AddedMetadata& added) {
  metadata_.assign(1, '{');
  metadata_ += members;
  append_added_members(metadata_, added, members);
  metadata_ += '}';
  return metadata_;
}

void FlagdEvaluation::fail(net::RpcCall& call, ErrorCode code, std::string_view details) {
  const Failure failure = failure_of(code);
  message_.assign(failure.text);
  if (!details.empty()) message_.append(": ").append(details);
  call.fail(failure.code, message_);
}

void FlagdEvaluation::refuse_request(net::RpcCall& call, ErrorCode code, std::string_view why) {
  desk_.counters.count_refused(code);
  fail(call, code, why);
}

}  // namespace flagstone::sidecar
