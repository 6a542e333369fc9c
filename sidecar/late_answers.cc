#include "sidecar/late_answers.h"

#include <utility>
#include <vector>

namespace flagstone::sidecar {
namespace {

constexpr std::int64_t kLookMs = 250;

}  // namespace

LateAnswers::LateAnswers(net::Loop& loop)
    : loop_(loop),
      timer_(loop, [this] { look_at_the_clock(); }),
      self_(std::make_shared<LateAnswers*>(this)) {}

LateAnswers::~LateAnswers() { *self_ = nullptr; }

bool LateAnswers::wait(std::span<const cache::TextPlace> places, net::Response& response,
                       Again again) {
  if (!bring_ || tries_ >= kMaxTries || waiting_.size() >= kMaxWaiting) return false;
  const std::uint64_t number = next_number_++;
  // The views of what is waited for may go with the next request.
  const std::vector<cache::TextPlace> wanted(places.begin(), places.end());
  Waiting& waiting = waiting_[number];
  waiting.later = response.defer();
  waiting.again = std::move(again);
  waiting.places_left = wanted.size();
  waiting.tries = tries_;
  waiting.since_ms = tries_ > 0 ? since_ms_ : loop_.now_ms();
  waiting.later->set_on_gone([this, number] { waiting_.erase(number); });
  if (!timer_.running()) timer_.start_repeating(kLookMs, kLookMs);
  for (const cache::TextPlace place : wanted) {
    bring_(place, [self = self_, number] {
      if (*self != nullptr) (*self)->brought(number);
    });
  }
  return true;
}

void LateAnswers::bring(std::span<const cache::TextPlace> places, Done done) {
  if (!bring_ || places.empty()) return done();
  auto left = std::make_shared<std::pair<std::size_t, Done>>(places.size(), std::move(done));
  for (const cache::TextPlace place : std::vector(places.begin(), places.end())) {
    bring_(place, [self = self_, left] {
      if (--left->first == 0 && *self != nullptr) left->second();
    });
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
  if (waiting_.empty()) timer_.stop();
  if (!waiting.later->alive()) return;
  tries_ = tries;
  since_ms_ = waiting.since_ms;
  waiting.again(waiting.later->request(), waiting.later->response());
  tries_ = 0;
}

// A disk that does not answer is not waited for longer than a caller would.
void LateAnswers::look_at_the_clock() {
  std::vector<std::uint64_t> late;
  for (const auto& [number, waiting] : waiting_) {
    if (loop_.now_ms() - waiting.since_ms >= kMaxWaitMs) late.push_back(number);
  }
  for (const std::uint64_t number : late) answer(number, kMaxTries);
}

}  // namespace flagstone::sidecar
