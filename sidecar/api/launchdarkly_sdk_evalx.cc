#include "sidecar/api/launchdarkly_sdk_evalx.h"

#include <chrono>
#include <optional>
#include <utility>

#include "net/base64.h"
#include "net/media_type.h"
#include "net/percent.h"
#include "sidecar/api/launchdarkly_sdk_access.h"

namespace flagstone::sidecar {
namespace {

namespace wire = evaluation::launchdarkly;
using Clock = std::chrono::steady_clock;

// Flags between two looks at the clock.
constexpr unsigned kFlagsPerLook = 16;
// What an unusual context leaves behind.
constexpr std::size_t kReaderBytesKeptMax = std::size_t{256} * 1024;

// What is asked for.
struct Question {
  std::size_t environment = 0;
  wire::EvalxCaller caller{};
  bool with_reasons = false;
  evaluation::Moment moment;
};

// All flags, evaluated for one context.
class EvalxText final : public SlicedText {
 public:
  // `context` was read by `contexts` just now, from the same text.
  EvalxText(ServingDesk& desk, wire::SdkContextReader& contexts, Question question,
            std::string_view context_json, const evaluation::EvaluationContext& context)
      : desk_(desk),
        contexts_(contexts),
        question_(question),
        padded_json_(context_json),
        json_bytes_(context_json.size()),
        fresh_context_(context) {
    padded_json_.append(net::Request::kBodyPaddingBytes, '\0');
  }

  SliceWritten write(const cache::ServingState& state, std::size_t bytes_max,
                     std::string& out) override {
    // Somebody else's context may have been read since the last slice.
    if (auto fresh = std::exchange(fresh_context_, std::nullopt)) {
      return write_for(*fresh, state, bytes_max, out);
    }
    const auto context = contexts_.read(std::string_view(padded_json_).substr(0, json_bytes_));
    // It was read once before: what was wrong with it was said then.
    if (!context) return SliceWritten::kFailed;
    return write_for(*context, state, bytes_max, out);
  }
  std::unique_ptr<SlicedText> keep() override {
    return std::make_unique<EvalxText>(std::move(*this));
  }

 private:
  SliceWritten write_for(const evaluation::EvaluationContext& context,
                         const cache::ServingState& state, std::size_t bytes_max,
                         std::string& out) {
    const cache::Snapshot& snapshot = *state.environments[question_.environment].snapshot;
    const std::size_t most = out.size() + bytes_max;
    const auto until = Clock::now() + desk_.settings.bulk_slice;
    if (!std::exchange(begun_, true)) out += '{';
    for (unsigned flags = 1;; ++flags) {
      const cache::Snapshot::Walk before = walk_;
      const cache::Entry* flag = snapshot.next_flag(walk_);
      if (flag == nullptr) break;
      const evaluation::Evaluation result =
          snapshot.evaluate(*flag, context, question_.moment, desk_.scratch, desk_.reader);
      if (!desk_.reader.waiting().empty()) {
        walk_ = before;
        return SliceWritten::kNeedsDisk;
      }
      if (desk_.reader.failed()) return SliceWritten::kFailed;
      const wire::Detail* detail = wire::detail_of(result);
      const bool hidden =
          detail != nullptr && detail->flag != nullptr && !may_see(question_.caller, *detail->flag);
      if (!hidden) {
        if (std::exchange(comma_, true)) out += ',';
        wire::append_evalx_member(out, flag->key(), flag->version(), result,
                                  question_.with_reasons);
        desk_.counters.count(Api::kLaunchDarklyEvalx, question_.environment, result.reason);
        desk_.count_in_bulk(question_.environment, *flag);
      }
      if (out.size() >= most) return SliceWritten::kSlice;
      if (flags % kFlagsPerLook == 0 && Clock::now() >= until) return SliceWritten::kSlice;
    }
    out += '}';
    return SliceWritten::kAll;
  }

  ServingDesk& desk_;
  wire::SdkContextReader& contexts_;
  Question question_;
  std::string padded_json_;
  std::size_t json_bytes_;
  std::optional<evaluation::EvaluationContext> fresh_context_;
  cache::Snapshot::Walk walk_;
  bool begun_ = false;
  bool comma_ = false;
};

// Legacy users alone may have one.
bool has_empty_key(const evaluation::EvaluationContext& context) {
  if (context.find("kind") != nullptr) return false;
  const evaluation::Value* key = context.find("key");
  return key != nullptr && key->is_string() && key->as_string().empty();
}

}  // namespace

void LaunchDarklySdkEvalx::add_routes(net::Router& router) {
  using net::Method;
  using Self = LaunchDarklySdkEvalx;
  router.add<&Self::get>(Method::kGet, "/sdk/evalx/contexts/{context}", *this);
  router.add<&Self::get>(Method::kGet, "/sdk/evalx/users/{user}", *this);
  router.add<&Self::report>(Method::kReport, "/sdk/evalx/context", *this);
  router.add<&Self::report>(Method::kReport, "/sdk/evalx/user", *this);
}

void LaunchDarklySdkEvalx::get(const net::Request& request, std::string_view encoded,
                               net::Response& response) {
  LatencyWatch watch(desk_.counters.latency[static_cast<std::size_t>(Api::kLaunchDarklyEvalx)]);
  const auto environment = open_sdk_environment(desk_, request, response);
  if (!environment) return;
  std::optional<std::string> json = net::decode_base64url(encoded);
  if (!json) return refuse_sdk(response, 400, "the context in the path is no base64url");
  const std::size_t bytes = json->size();
  json->append(net::Request::kBodyPaddingBytes, '\0');
  evaluate(*environment, wire::EvalxCaller::kServer, std::string_view(*json).substr(0, bytes),
           request, response);
}

void LaunchDarklySdkEvalx::report(const net::Request& request, std::string_view,
                                  net::Response& response) {
  LatencyWatch watch(desk_.counters.latency[static_cast<std::size_t>(Api::kLaunchDarklyEvalx)]);
  const auto environment = open_sdk_environment(desk_, request, response);
  if (!environment) return;
  const auto type = request.header("content-type");
  if (!type || !net::is_json_type(*type)) {
    return refuse_sdk(response, 415, "Content-Type must be application/json");
  }
  evaluate(*environment, wire::EvalxCaller::kServer, request.body, request, response);
}

void LaunchDarklySdkEvalx::evaluate(std::size_t environment, wire::EvalxCaller caller,
                                    std::string_view context_json, const net::Request& request,
                                    net::Response& response) {
  const auto context = contexts_.read(context_json);
  if (!context) {
    desk_.counters.count_refused(evaluation::ErrorCode::kInvalidContext);
    return refuse_sdk(response, 400, context.error());
  }
  const cache::EnvironmentState& state = desk_.state->environments[environment];
  if (state.snapshot == nullptr || !state.complete) {
    desk_.counters.count_refused(evaluation::ErrorCode::kProviderNotReady);
    return refuse_sdk(response, 503, kSdkNoData);
  }
  if (has_empty_key(*context)) {
    desk_.counters.count_refused(evaluation::ErrorCode::kTargetingKeyMissing);
    return refuse_sdk(response, 400, "the user has an empty key");
  }
  const Question question{
      .environment = environment,
      .caller = caller,
      .with_reasons = net::query_parameter(request.query, "withReasons") == "true",
      .moment = desk_.moment()};
  EvalxText text(desk_, contexts_, question, context_json, *context);
  switch (slices_.answer(text, {}, response)) {
    case SlicedAnswers::Answered::kYes:
      break;
    case SlicedAnswers::Answered::kTooMany:
      return refuse_sdk(response, 503, "too many large answers are under way");
    case SlicedAnswers::Answered::kUnreadable:
      return refuse_sdk(response, 503, "a flag's text cannot be read (now)");
  }
  if (contexts_.bytes() > kReaderBytesKeptMax) contexts_.shrink();
}

}  // namespace flagstone::sidecar
