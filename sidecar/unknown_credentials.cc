#include "sidecar/unknown_credentials.h"

#include <utility>
#include <vector>

namespace flagstone::sidecar {
namespace {

constexpr std::int64_t kLookMs = 250;

}  // namespace

UnknownCredentials::UnknownCredentials(net::Loop& loop)
    : loop_(loop), timer_(loop, [this] { look_at_the_clock(); }) {}

void UnknownCredentials::set_ask(net::Handler& handler, Ask ask) {
  handler_ = &handler;
  ask_ = std::move(ask);
}

UnknownCredentials::Verdict UnknownCredentials::judge(net::Response& response) {
  if (verdict_ != Verdict::kWait) return verdict_;
  if (!ask_) return Verdict::kUnknown;
  if (waiting_.size() >= kWaitingMax) return Verdict::kTryAgain;
  if (asking_ && loop_.now_ms() - asked_ms_ >= kAskAgainMs) asking_ = false;
  const std::uint64_t question = next_question_;
  if (!asking_ && !ask_for_those_who_wait()) return Verdict::kTryAgain;
  const std::uint64_t number = next_number_++;
  Waiting& waiting = waiting_[number];
  waiting.later = response.defer();
  waiting.question = question;
  waiting.since_ms = loop_.now_ms();
  waiting.later->set_on_gone([this, number] { forget(number); });
  if (!timer_.running()) timer_.start_repeating(kLookMs, kLookMs);
  return Verdict::kWait;
}

bool UnknownCredentials::ask_for_those_who_wait() {
  const std::uint64_t question = next_question_;
  asking_ = ask_(lifeline_.guard([question](UnknownCredentials& unknown, bool found_all) {
    unknown.looked(question, found_all);
  }));
  if (!asking_) return false;
  ++next_question_;
  asked_ms_ = loop_.now_ms();
  return true;
}

void UnknownCredentials::looked(std::uint64_t question, bool found_all) {
  std::vector<std::uint64_t> answered;
  bool some_wait = false;
  for (const auto& [number, waiting] : waiting_) {
    if (waiting.question <= question) {
      answered.push_back(number);
    } else {
      some_wait = true;
    }
  }
  // An answer to a question that was given up is as good as any, but another one is under way.
  if (question + 1 == next_question_) asking_ = some_wait && ask_for_those_who_wait();
  for (const std::uint64_t number : answered) {
    answer(number, found_all ? Verdict::kUnknown : Verdict::kTryAgain);
  }
}

// It is answered, or who waited is gone. Nobody waits: the thread may sleep.
void UnknownCredentials::forget(std::uint64_t number) {
  waiting_.erase(number);
  if (waiting_.empty()) timer_.stop();
}

void UnknownCredentials::answer(std::uint64_t number, Verdict verdict) {
  const auto at = waiting_.find(number);
  if (at == waiting_.end()) return;
  const Waiting waiting = std::move(at->second);
  forget(number);
  if (!waiting.later->alive()) return;
  verdict_ = verdict;
  handler_->handle(waiting.later->request(), waiting.later->response());
  verdict_ = Verdict::kWait;
}

// A disk that hangs is not waited for longer than a caller would.
void UnknownCredentials::look_at_the_clock() {
  const std::int64_t now_ms = loop_.now_ms();
  std::vector<std::uint64_t> late;
  for (const auto& [number, waiting] : waiting_) {
    if (now_ms - waiting.since_ms >= kWaitMsMax) late.push_back(number);
  }
  for (const std::uint64_t number : late) answer(number, Verdict::kTryAgain);
}

std::optional<int> refusal_status(UnknownCredentials& unknown, RoutingError error,
                                  const net::Request& request, net::Response& response) {
  constexpr int kNobodys = 401;
  constexpr int kTryAgain = 503;
  // No file will ever hold what is not there.
  if (presented_credential(request).empty()) return kNobodys;
  switch (unknown.judge(response)) {
    case UnknownCredentials::Verdict::kWait:
      return std::nullopt;
    case UnknownCredentials::Verdict::kTryAgain:
      return kTryAgain;
    case UnknownCredentials::Verdict::kUnknown:
      break;
  }
  return error == RoutingError::kUnreadCredential ? kTryAgain : kNobodys;
}

}  // namespace flagstone::sidecar
