#include "sidecar/api/ofrep_bulk.h"

#include <chrono>
#include <memory>
#include <utility>

#include "net/percent.h"
#include "sidecar/api/ofrep_answer.h"
#include "sidecar/kept_request.h"
#include "sidecar/selected_flags.h"

namespace flagstone::sidecar {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kEventsPath = "/ofrep/v1/sse";
// How long a provider may stay connected without being looked at (protocol: inactivityDelaySec).
constexpr std::string_view kInactivityDelaySeconds = "120";
constexpr std::int64_t kMsPerSecond = 1000;
// Stands before the added members of a bulk answer's metadata, and for the comma after it.
constexpr std::string_view kLastModifiedMember = "\"flagConfigLastModified\":0";
// Flags between two looks at the clock.
constexpr unsigned kFlagsPerLook = 16;

}  // namespace

// What is left of it once the request is gone.
class OfrepBulk::KeptText final : public SlicedText {
 public:
  KeptText(OfrepBulk& bulk, const Progress& progress, const net::Request& request)
      : bulk_(bulk), progress_(progress), selector_(progress.selector_text), request_(request) {
    progress_.selector_text = selector_;
    // The filter's views were of the request.
    const Selector selector = *Selector::parse(selector_);
    progress_.walk.set_filter(filter_of(selector));
    progress_.added.selector = selector;
  }

  SliceWritten write(const cache::ServingState& state, std::size_t bytes_max,
                     std::string& out) override {
    evaluation::EvaluationContext context;
    const net::Request& request = request_.request();
    if (!request.body.empty()) {
      // It was read once before: what was wrong with it was said then.
      if (auto read = bulk_.desk_.contexts.read_member(request.body, "context")) context = *read;
    }
    return bulk_.write(progress_, state.environments[progress_.environment],
                       bulk_.additions_.merge(context, request), bytes_max, out);
  }
  std::unique_ptr<SlicedText> keep() override { return nullptr; }  // It is kept.

 private:
  OfrepBulk& bulk_;
  Progress progress_;
  std::string selector_;
  KeptRequest request_;
};

// As long as the request is there, with the context that was read of it.
class OfrepBulk::FreshText final : public SlicedText {
 public:
  FreshText(OfrepBulk& bulk, Progress progress, const evaluation::EvaluationContext& context,
            const net::Request& request)
      : bulk_(bulk), progress_(progress), context_(context), request_(request) {}

  SliceWritten write(const cache::ServingState& state, std::size_t bytes_max,
                     std::string& out) override {
    return bulk_.write(progress_, state.environments[progress_.environment], context_, bytes_max,
                       out);
  }
  std::unique_ptr<SlicedText> keep() override {
    return std::make_unique<KeptText>(bulk_, progress_, request_);
  }

 private:
  OfrepBulk& bulk_;
  Progress progress_;
  const evaluation::EvaluationContext& context_;
  const net::Request& request_;
};

OfrepBulk::Progress OfrepBulk::begin(std::size_t environment, std::string_view selector) {
  Progress progress;
  progress.environment = environment;
  progress.selector_text = selector;
  // It was parsed when the request was looked at.
  const Selector parsed = *Selector::parse(selector);
  progress.walk = cache::Snapshot::Walk(filter_of(parsed));
  progress.moment = desk_.moment();
  progress.added =
      AddedMetadata::of(desk_.state->environments[environment], parsed, progress.moment.unix_ms);
  return progress;
}

bool OfrepBulk::answer(std::size_t environment, std::string_view selector,
                       const evaluation::EvaluationContext& context, const net::Request& request,
                       std::span<const net::HeaderField> headers, net::Response& response) {
  FreshText text(*this, begin(environment, selector), context, request);
  return slices_.answer(text, headers, response) == SlicedAnswers::Answered::kYes;
}

SliceWritten OfrepBulk::write(Progress& progress, const cache::EnvironmentState& environment,
                              const evaluation::EvaluationContext& context, std::size_t bytes_max,
                              std::string& body) {
  const cache::Snapshot& snapshot = *environment.snapshot;
  const std::size_t most = body.size() + bytes_max;
  const auto until = Clock::now() + desk_.settings.bulk_slice;
  if (!std::exchange(progress.begun, true)) body += "{\"flags\":[";
  for (unsigned flags = 1;; ++flags) {
    const cache::Snapshot::Walk before = progress.walk;
    const cache::Entry* flag = snapshot.next_flag(progress.walk);
    if (flag == nullptr) break;
    const evaluation::Evaluation result =
        snapshot.evaluate(*flag, context, progress.moment, desk_.scratch, desk_.reader);
    if (!desk_.reader.waiting().empty()) {
      progress.walk = before;
      return SliceWritten::kNeedsDisk;
    }
    if (std::exchange(progress.comma, true)) body += ',';
    append_evaluation(body, flag->key(), result, progress.added);
    desk_.counters.count(Api::kOfrepBulk, progress.environment, result.reason);
    desk_.count_in_bulk(progress.environment, *flag);
    if (body.size() >= most) return SliceWritten::kSlice;
    if (flags % kFlagsPerLook == 0 && Clock::now() >= until) return SliceWritten::kSlice;
  }
  write_end(progress, environment, body);
  return SliceWritten::kAll;
}

void OfrepBulk::write_end(const Progress& progress, const cache::EnvironmentState& environment,
                          std::string& body) {
  body += "],\"metadata\":{\"flagConfigLastModified\":";
  body += std::to_string(environment.changed_unix_ms / kMsPerSecond);
  append_added_members(body, progress.added, kLastModifiedMember);
  body += "},\"eventStreams\":[{\"type\":\"sse\",\"inactivityDelaySec\":";
  body += kInactivityDelaySeconds;
  body += ",\"endpoint\":{\"requestUri\":\"";
  body += kEventsPath;
  if (!progress.selector_text.empty()) {
    body += '/';
    net::percent_encode(progress.selector_text, body);
  }
  body += "\"}}]}";
}

}  // namespace flagstone::sidecar
