#include "sidecar/late_answers.h"

#include <utility>
#include <vector>

namespace flagstone::sidecar {
namespace {

constexpr std::int64_t kLookMs = 250;

}  // namespace

LateAnswers::LateAnswers(net::Loop& loop)
    : loop_(loop), timer_(loop, [this] { look_at_the_clock(); }) {}

bool LateAnswers::wait(std::span<const cache::TextPlace> places, net::Response& response,
                       Again again) {
  if (!bring_ || tries_ >= kTriesMax || waiting_.size() >= kWaitingMax) return false;
  const std::uint64_t number = next_number_++;
  // The views of what is waited for may go with the next request.
  const std::vector<cache::TextPlace> wanted(places.begin(), places.end());
  Waiting& waiting = waiting_[number];
  waiting.later = response.defer();
  waiting.again = std::move(again);
  waiting.places_left = wanted.size();
  waiting.tries = tries_;
  waiting.since_ms = tries_ > 0 ? since_ms_ : loop_.now_ms();
  waiting.later->set_on_gone([this, number] { forget(number); });
  watch_the_clock();
  for (const cache::TextPlace place : wanted) {
    bring_(place, lifeline_.guard([number](LateAnswers& answers) { answers.brought(number); }));
  }
  return true;
}

void LateAnswers::bring(std::span<const cache::TextPlace> places, Brought done) {
  if (!bring_ || places.empty()) return done(true);
  const std::uint64_t number = next_number_++;
  bringing_[number] = {
      .done = std::move(done), .places_left = places.size(), .since_ms = loop_.now_ms()};
  watch_the_clock();
  for (const cache::TextPlace place : std::vector(places.begin(), places.end())) {
    bring_(place,
           lifeline_.guard([number](LateAnswers& answers) { answers.brought_for_nobody(number); }));
  }
}

void LateAnswers::brought_for_nobody(std::uint64_t number) {
  const auto at = bringing_.find(number);
  if (at != bringing_.end() && --at->second.places_left == 0) end_bringing(number, true);
}

void LateAnswers::end_bringing(std::uint64_t number, bool in_time) {
  const auto at = bringing_.find(number);
  if (at == bringing_.end()) return;
  Brought done = std::move(at->second.done);
  bringing_.erase(at);
  watch_the_clock();
  done(in_time);
}

// Who waited is gone.
void LateAnswers::forget(std::uint64_t number) {
  waiting_.erase(number);
  watch_the_clock();
}

void LateAnswers::watch_the_clock() {
  if (waiting_.empty() && bringing_.empty()) {
    timer_.stop();
  } else if (!timer_.running()) {
    timer_.start_repeating(kLookMs, kLookMs);
  }
}

void LateAnswers::brought(std::uint64_t number) {
  const auto at = waiting_.find(number);
  if (at == waiting_.end() || --at->second.places_left > 0) return;
  answer(number, at->second.tries + 1);
}

void LateAnswers::answer(std::uint64_t number, unsigned tries) {
  const auto at = waiting_.find(number);
  if (at == waiting_.end()) return;
  Waiting waiting = std::move(at->second);
  waiting_.erase(at);
  watch_the_clock();
  if (!waiting.later->alive()) return;
  tries_ = tries;
  since_ms_ = waiting.since_ms;
  waiting.again(waiting.later->request(), waiting.later->response());
  tries_ = 0;
}

// A disk that does not answer is not waited for longer than a caller would.
void LateAnswers::look_at_the_clock() {
  std::vector<std::uint64_t> late;
  std::vector<std::uint64_t> late_for_nobody;
  for (const auto& [number, waiting] : waiting_) {
    if (loop_.now_ms() - waiting.since_ms >= kWaitMsMax) late.push_back(number);
  }
  for (const auto& [number, bringing] : bringing_) {
    if (loop_.now_ms() - bringing.since_ms >= kWaitMsMax) late_for_nobody.push_back(number);
  }
  for (const std::uint64_t number : late) answer(number, kTriesMax);
  for (const std::uint64_t number : late_for_nobody) end_bringing(number, false);
}

}  // namespace flagstone::sidecar
