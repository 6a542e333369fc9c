#include "sidecar/api/ofrep_bulk.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "sidecar/api/ofrep_answer.h"
#include "sidecar/percent_encoding.h"
#include "sidecar/selected_flags.h"

namespace flagstone::sidecar {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kEventsPath = "/ofrep/v1/sse";
// How long a provider may stay connected without being looked at (protocol: inactivityDelaySec).
constexpr std::string_view kInactivityDelaySeconds = "120";
constexpr std::int64_t kMsPerSecond = 1000;
// Stands before the added members of a bulk answer's metadata, and for the comma after it.
constexpr std::string_view kLastModifiedMember = "\"flagConfigLastModified\":0";
// Flags between two looks at the clock.
constexpr unsigned kFlagsPerLook = 16;

}  // namespace

OfrepBulk::~OfrepBulk() {
  *self_ = nullptr;
  while (!jobs_.empty()) end(jobs_.begin());
}

OfrepBulk::Progress OfrepBulk::begin(const cache::ServingState& state, std::size_t environment,
                                     std::string_view selector) {
  Progress progress;
  progress.environment = &state.environments[environment];
  progress.index = environment;
  progress.selector_text = selector;
  // It was parsed when the request was looked at.
  const Selector parsed = *Selector::parse(selector);
  progress.walk = cache::Snapshot::Walk(filter_of(parsed));
  progress.moment = desk_.moment();
  progress.added = AddedMetadata::of(*progress.environment, parsed, progress.moment.unix_ms);
  return progress;
}

bool OfrepBulk::answer(std::size_t environment, std::string_view selector,
                       const evaluation::EvaluationContext& context, const net::Request& request,
                       std::span<const net::HeaderField> headers, net::Response& response) {
  Progress progress = begin(*desk_.state, environment, selector);
  const Written written = write(progress, context, kWholeBytes, response.body());
  if (written == Written::kAll) {
    response.send(200, kJson, headers);
    return true;
  }
  if (jobs_.size() >= kMaxUnderWay) {
    response.body().clear();
    return false;
  }
  Job& job = jobs_.emplace_back(request);
  job.number = next_number_++;
  job.state = desk_.state;
  job.selector = selector;
  job.progress = progress;
  job.progress.environment = &job.state->environments[environment];
  job.progress.selector_text = job.selector;
  // The filter's views were of the request.
  job.progress.walk.set_filter(filter_of(*Selector::parse(job.selector)));
  job.progress.added.selector = *Selector::parse(job.selector);
  // What was written so far goes out with the head.
  job.stream = response.open_stream(200, kJson, headers);
  job.stream->set_finite();
  start(job.number);
  return true;
}

void OfrepBulk::start(std::uint64_t number) {
  const auto job = find(number);
  if (!job->stream->open()) return end(job);  // HEAD, or the peer is gone already
  job->stream->set_on_closed([this, number] { end(find(number)); });
  job->stream->set_on_drained([this, number] { go_on(number); });
  (void)loop_.post([self = self_, number] {
    if (*self != nullptr) (*self)->go_on(number);
  });
}

OfrepBulk::Jobs::iterator OfrepBulk::find(std::uint64_t number) {
  return std::find_if(jobs_.begin(), jobs_.end(),
                      [number](const Job& job) { return job.number == number; });
}

// The next slice, unless the reader has not taken the last one.
void OfrepBulk::go_on(std::uint64_t number) {
  const auto job = find(number);
  if (job == jobs_.end()) return;
  if (job->unsent != nullptr) {
    if (!job->stream->send_shared(job->unsent)) return;  // on_drained comes again
    job->unsent.reset();
  }
  if (job->progress.finished) {
    job->stream->close();
    return end(job);
  }
  // Shared, so that a slow reader has one slice waiting and no copy of it.
  auto slice = std::make_shared<std::string>();
  evaluation::EvaluationContext context;
  const net::Request& request = job->request.request();
  if (!request.body.empty()) {
    // It was read once before: what was wrong with it was said then.
    if (auto read = desk_.contexts.read_member(request.body, "context")) context = *read;
  }
  const Written written =
      write(job->progress, additions_.merge(context, request), kSliceBytes, *slice);
  const bool waits = written == Written::kNeedsDisk && slice->empty();
  if (!waits) {
    job->stuck_since_ms.reset();
  } else if (!job->stuck_since_ms) {
    job->stuck_since_ms = loop_.now_ms();
  }
  const bool sent = slice->empty() || job->stream->send_shared(slice);
  if (!sent) job->unsent = std::move(slice);
  if (written == Written::kNeedsDisk) {
    wait_for_disk(*job);
  } else if (sent) {
    // Others come first. A reader who was too slow says when he has caught up.
    (void)loop_.post([self = self_, number] {
      if (*self != nullptr) (*self)->go_on(number);
    });
  }
}

void OfrepBulk::wait_for_disk(Job& job) {
  const bool is_stuck = job.stuck_since_ms.has_value() &&
                        loop_.now_ms() - *job.stuck_since_ms >= LateAnswers::kMaxWaitMs;
  if (is_stuck) return end(find(job.number));
  desk_.late.bring(desk_.reader.waiting(), [self = self_, number = job.number](bool in_time) {
    if (*self == nullptr) return;
    if (in_time) return (*self)->go_on(number);
    (*self)->end((*self)->find(number));
  });
}

void OfrepBulk::end(Jobs::iterator job) {
  if (job == jobs_.end()) return;
  // Snapshots are destroyed by the keeper.
  desk_.give_back(std::move(job->state));
  // What is not all there has no proper end.
  job->stream->abort();
  jobs_.erase(job);
}

OfrepBulk::Written OfrepBulk::write(Progress& progress,
                                    const evaluation::EvaluationContext& context,
                                    std::size_t bytes_max, std::string& body) {
  const cache::Snapshot& snapshot = *progress.environment->snapshot;
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
      return Written::kNeedsDisk;
    }
    if (std::exchange(progress.comma, true)) body += ',';
    append_evaluation(body, flag->key(), result, progress.added);
    desk_.counters.count(Api::kOfrepBulk, progress.index, result.reason);
    desk_.count_in_bulk(progress.index, *flag);
    if (body.size() >= most) return Written::kSlice;
    if (flags % kFlagsPerLook == 0 && Clock::now() >= until) return Written::kSlice;
  }
  write_end(progress, body);
  progress.finished = true;
  return Written::kAll;
}

void OfrepBulk::write_end(const Progress& progress, std::string& body) {
  body += "],\"metadata\":{\"flagConfigLastModified\":";
  body += std::to_string(progress.environment->changed_unix_ms / kMsPerSecond);
  append_added_members(body, progress.added, kLastModifiedMember);
  body += "},\"eventStreams\":[{\"type\":\"sse\",\"inactivityDelaySec\":";
  body += kInactivityDelaySeconds;
  body += ",\"endpoint\":{\"requestUri\":\"";
  body += kEventsPath;
  if (!progress.selector_text.empty()) {
    body += '/';
    append_percent_encoded(body, progress.selector_text);
  }
  body += "\"}}]}";
}

}  // namespace flagstone::sidecar
