#include "sidecar/sliced_answers.h"

#include <algorithm>
#include <utility>

namespace flagstone::sidecar {
namespace {

constexpr std::string_view kJson = "application/json";

}  // namespace

SlicedAnswers::~SlicedAnswers() {
  lifeline_.cut();
  while (!jobs_.empty()) cancel(jobs_.front().number);
}

void SlicedAnswers::cancel(std::uint64_t number) {
  const auto job = find(number);
  if (job == jobs_.end()) return;
  job->finished = {};
  end(job, false);
}

SlicedAnswers::Answered SlicedAnswers::answer(SlicedText& text,
                                              std::span<const net::HeaderField> headers,
                                              net::Response& response) {
  const SliceWritten written = text.write(*desk_.state, kWholeBytes, response.body());
  if (written == SliceWritten::kAll) {
    response.send(200, kJson, headers);
    return Answered::kYes;
  }
  if (written == SliceWritten::kFailed || !has_room()) {
    response.body().clear();
    return written == SliceWritten::kFailed ? Answered::kUnreadable : Answered::kTooMany;
  }
  Job job;
  job.state = desk_.state;
  job.text = text.keep();
  // What was written so far goes out with the head.
  job.stream = response.open_stream(200, kJson, headers);
  job.stream->set_finite();
  const std::uint64_t number = start(std::move(job));
  if (written == SliceWritten::kNeedsDisk) {
    if (const auto started = find(number); started != jobs_.end()) wait_for_disk(*started);
  } else {
    (void)loop_.post(lifeline_.guard([number](SlicedAnswers& answers) { answers.go_on(number); }));
  }
  return Answered::kYes;
}

std::uint64_t SlicedAnswers::send(std::unique_ptr<SlicedText> text,
                                  std::unique_ptr<net::EventStream> stream, Finished finished) {
  Job job;
  job.state = desk_.state;
  job.text = std::move(text);
  job.stream = std::move(stream);
  job.finished = std::move(finished);
  const std::uint64_t number = start(std::move(job));
  (void)loop_.post(lifeline_.guard([number](SlicedAnswers& answers) { answers.go_on(number); }));
  return number;
}

std::uint64_t SlicedAnswers::start(Job made) {
  made.number = next_number_++;
  const std::uint64_t number = made.number;
  Job& job = jobs_.emplace_back(std::move(made));
  if (!job.stream->open()) {  // HEAD, or the peer is gone already
    end(std::prev(jobs_.end()), false);
    return number;
  }
  job.stream->set_on_closed([this, number] { end(find(number), false); });
  job.stream->set_on_drained([this, number] { go_on(number); });
  return number;
}

SlicedAnswers::Jobs::iterator SlicedAnswers::find(std::uint64_t number) {
  return std::find_if(jobs_.begin(), jobs_.end(),
                      [number](const Job& job) { return job.number == number; });
}

// The next slice, unless the reader has not taken the last one.
void SlicedAnswers::go_on(std::uint64_t number) {
  const auto job = find(number);
  if (job == jobs_.end()) return;
  if (job->unsent != nullptr) {
    if (!job->stream->send_shared(job->unsent)) return;  // on_drained comes again
    job->unsent.reset();
  }
  if (job->all_written) return end(job, true);
  // Shared, so that a slow reader has one slice waiting and no copy of it.
  auto slice = std::make_shared<std::string>();
  const SliceWritten written = job->text->write(*job->state, kSliceBytes, *slice);
  if (written == SliceWritten::kFailed) return end(job, false);
  job->all_written = written == SliceWritten::kAll;
  const bool waits = written == SliceWritten::kNeedsDisk && slice->empty();
  if (!waits) {
    job->stuck_since_ms.reset();
    job->disk_wait = 0;
  } else if (!job->stuck_since_ms) {
    job->stuck_since_ms = loop_.now_ms();
  }
  const bool sent = slice->empty() || job->stream->send_shared(slice);
  if (!sent) job->unsent = std::move(slice);
  if (written == SliceWritten::kNeedsDisk) {
    wait_for_disk(*job);
  } else if (sent) {
    // Others come first. A reader who was too slow says when he has caught up.
    (void)loop_.post(lifeline_.guard([number](SlicedAnswers& answers) { answers.go_on(number); }));
  }
}

bool SlicedAnswers::is_stuck(const Job& job) const {
  return job.stuck_since_ms.has_value() &&
         loop_.now_ms() - *job.stuck_since_ms >= LateAnswers::kWaitMsMax;
}

void SlicedAnswers::wait_for_disk(Job& job) {
  if (is_stuck(job)) return end(find(job.number), false);
  job.disk_wait = next_number_++;
  desk_.late.bring(desk_.reader.waiting(),
                   lifeline_.guard([number = job.number, wait = job.disk_wait](
                                       SlicedAnswers& answers, bool in_time) {
                     answers.disk_answered(number, wait, in_time);
                   }));
}

// A reader who catches up has the answer go on, so that several waits may be under way.
void SlicedAnswers::disk_answered(std::uint64_t number, std::uint64_t wait, bool in_time) {
  if (in_time) return go_on(number);
  const auto job = find(number);
  if (job != jobs_.end() && (job->disk_wait == wait || is_stuck(*job))) end(job, false);
}

void SlicedAnswers::end(Jobs::iterator job, bool sent) {
  if (job == jobs_.end()) return;
  Job ended = std::move(*job);
  jobs_.erase(job);
  // Snapshots are destroyed by the keeper.
  desk_.give_back(std::move(ended.state));
  // With a proper end and its entity tag it would be taken for the whole.
  if (!sent) ended.stream->abort();
  if (ended.finished) {
    ended.stream->set_on_closed({});
    ended.stream->set_on_drained({});
    return ended.finished(sent ? std::move(ended.stream) : nullptr);
  }
  if (sent) ended.stream->close();
}

}  // namespace flagstone::sidecar
