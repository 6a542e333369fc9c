#include "upstream/transports/http_poll.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "upstream/failure_of_status.h"

namespace flagstone::upstream {
namespace {

HttpPollOptions with_cap(HttpPollOptions options) {
  options.backoff.cap = std::max(options.backoff.cap, options.interval);
  return options;
}

}  // namespace

HttpPoll::HttpPoll(net::Loop& loop, HttpClient& http, const Clock& clock, RandomSource& random,
                   HttpPollOptions options, MakeHeaders make_headers, DocumentSink& sink)
    : timer_(loop, [this] { ask(); }),
      http_(http),
      clock_(clock),
      random_(random),
      options_(with_cap(std::move(options))),
      make_headers_(std::move(make_headers)),
      sink_(sink),
      backoff_(options_.backoff),
      disk_(loop, options_.disk_patience,
            {.must_wait = [this] { return sink_.must_wait(); },
             .stop_waiting = [this] { sink_.stop_waiting(); },
             .go_on = [this] { exchange_->set_paused(false); }}) {}

void HttpPoll::resume(Validators validators) {
  assert(!running_);
  accepted_ = std::move(validators);
}

void HttpPoll::start() {
  assert(!running_);
  running_ = true;
  timer_.start_once(0);
}

void HttpPoll::stop() {
  running_ = false;
  timer_.stop();
  abandon_request();
}

void HttpPoll::abandon_request() {
  disk_.stop();
  exchange_.reset();
}

void HttpPoll::settle(Outcome outcome) {
  assert(in_work_);
  in_work_ = false;
  accepted_ = outcome == Outcome::kAccepted ? std::exchange(arriving_, {}) : Validators{};
  if (!running_) return;
  if (std::exchange(ask_again_, false)) return refresh();
  if (outcome == Outcome::kRefusedForNow) {
    return ask_after(std::max(backoff_.failed(Regime::kOrdinary, clock_.now(), random_.next()),
                              milliseconds(1)));
  }
  ask_after(jittered_interval(options_.interval, random_.next()));
}

void HttpPoll::refresh() {
  if (!running_) return;
  if (in_work_) {
    ask_again_ = true;
    return;
  }
  accepted_ = {};
  abandon_request();
  timer_.start_once(0);
}

void HttpPoll::ask_anew() {
  backoff_.forgive();
  refresh();
}

void HttpPoll::try_now() {
  if (!running_ || in_work_ || !denied_) return;
  backoff_.forgive();
  abandon_request();
  timer_.start_once(0);
}

void HttpPoll::ask() {
  abandon_request();
  unwanted_ = false;
  status_ = 0;
  body_bytes_ = 0;
  arriving_ = {};
  retry_after_.reset();
  malformed_.reset();
  auto headers = make_headers_();
  if (!headers) return fail(FailureKind::kCredential, headers.error());
  conditional_ = !accepted_.empty();
  if (!accepted_.etag.empty()) headers->push_back({"If-None-Match", accepted_.etag});
  if (!accepted_.last_modified.empty()) {
    headers->push_back({"If-Modified-Since", accepted_.last_modified});
  }
  HttpRequest request{.url = options_.make_url ? options_.make_url() : options_.url,
                      .unix_socket = options_.unix_socket,
                      .headers = std::move(*headers),
                      .limits = options_.limits,
                      .ca_file = options_.ca_file,
                      .client_certificate_file = options_.client_certificate_file,
                      .client_key_file = options_.client_key_file,
                      .proxy = options_.proxy};
  exchange_ = http_.start(std::move(request), *this);
}

void HttpPoll::ask_after(milliseconds delay) { timer_.start_once(delay.count()); }

bool HttpPoll::on_head(const HttpHead& head) {
  status_ = head.status;
  unwanted_ = options_.wants_answer && !options_.wants_answer(head);
  if (unwanted_) return false;
  retry_after_ = parse_retry_after(head.find("retry-after"), clock_.unix_ms());
  if (status_ != 200) return status_ == 304;  // The text of an error says nothing to us.
  arriving_ = {std::string(head.find("etag")), std::string(head.find("last-modified"))};
  sink_.on_begin(head.find("content-type"));
  return true;
}

bool HttpPoll::on_body(std::string_view piece) {
  if (status_ != 200) return true;
  body_bytes_ += piece.size();
  auto eaten = sink_.on_piece(piece);
  if (!eaten) malformed_ = std::move(eaten.error());
  if (!malformed_ && disk_.begins()) exchange_->set_paused(true);
  return !malformed_;
}

void HttpPoll::on_end(const std::optional<HttpError>& error) {
  disk_.stop();
  // The exchange lives until the next request: we are inside its call.
  if (unwanted_) return;
  if (error) return fail(error->kind, error->message);
  if (malformed_) return fail(FailureKind::kMalformed, *std::exchange(malformed_, std::nullopt));
  if (status_ == 200) return complete();
  if (status_ == 304) {
    // Only what we hold can be unchanged; a cache on the way may think otherwise.
    if (!conditional_) return fail(FailureKind::kProtocol, "304 to a request without condition");
    succeed();
    return sink_.on_unchanged();
  }
  if (status_ == 204) return fail(FailureKind::kMalformed, "an empty document (status 204)");
  fail(failure_of_http_status(status_), "status " + std::to_string(status_));
}

void HttpPoll::complete() {
  if (body_bytes_ == 0) return fail(FailureKind::kMalformed, "an empty document");
  in_work_ = true;  // Before the call: the sink may lead to settle() at once.
  auto arrival = sink_.on_complete(arriving_);
  if (!arrival) {
    in_work_ = false;
    return fail(FailureKind::kMalformed, std::move(arrival.error()));
  }
  if (*arrival == Arrival::kInWork) {
    backoff_.succeeded(clock_.now());
    denied_ = false;
    return;
  }
  in_work_ = false;
  accepted_ = std::exchange(arriving_, {});
  succeed();
  sink_.on_unchanged();
}

void HttpPoll::succeed() {
  backoff_.succeeded(clock_.now());
  denied_ = false;
  ask_after(jittered_interval(options_.interval, random_.next()));
}

void HttpPoll::fail(FailureKind kind, std::string cause) {
  const Regime regime = options_.judge(kind, status_);
  denied_ = regime == Regime::kDenied;
  // Never zero: a timer that starts itself again at zero would not let the loop (libuv before 1.45)
  // do anything else.
  const milliseconds wait = std::max(
      backoff_.failed(regime, clock_.now(), random_.next(), retry_after_), milliseconds(1));
  ask_after(wait);
  sink_.on_failure(kind, std::move(cause), wait);
}

}  // namespace flagstone::upstream
