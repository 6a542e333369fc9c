#include "upstream/transports/sse_stream.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "upstream/failure_of_status.h"

namespace flagstone::upstream {
namespace {

constexpr milliseconds kAtOnce{1};  // Never zero: the loop has other things to do, too.

}  // namespace

SseStream::SseStream(net::Loop& loop, HttpClient& http, const Clock& clock, RandomSource& random,
                     SseStreamOptions options, MakeRequest make_request, EventSink& sink)
    : timer_(loop, [this] { ask(); }),
      http_(http),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      make_request_(std::move(make_request)),
      sink_(sink),
      backoff_(options_.backoff),
      disk_(loop, options_.disk_patience,
            {.must_wait = [this] { return sink_.must_wait(); },
             .stop_waiting = [this] { sink_.stop_waiting(); },
             .go_on =
                 [this] {
                   if (!waits_) exchange_->set_paused(false);
                 }}) {}

void SseStream::start() {
  assert(!running_);
  running_ = true;
  timer_.start_once(0);
}

void SseStream::stop() {
  running_ = false;
  timer_.stop();
  abandon_request();
}

void SseStream::reopen(milliseconds wait) {
  if (!running_) return;
  abandon_request();
  timer_.start_once(std::max(wait, kAtOnce).count());
}

void SseStream::ask_anew() {
  backoff_.forgive();
  reopen(kAtOnce);
}

void SseStream::try_now() {
  if (denied_) ask_anew();
}

void SseStream::succeeded() {
  denied_ = false;
  backoff_.succeeded(clock_.now());
}

// Requests.

void SseStream::ask() {
  abandon_request();
  status_ = 0;
  retry_after_.reset();
  auto request = make_request_();
  if (!request) return fail(FailureKind::kCredential, request.error());
  parser_.emplace(options_.event_bytes_max);
  in_event_ = false;
  HttpRequest http{.url = std::move(request->url),
                   .unix_socket = std::move(request->unix_socket),
                   .headers = std::move(request->headers),
                   .limits = {}};
  http.headers.push_back({"Accept", "text/event-stream"});
  http.headers.push_back({"Cache-Control", "no-cache"});
  http.limits.first_byte = options_.first_byte;
  http.limits.idle = options_.silence;
  http.limits.whole = milliseconds(0);
  http.limits.body_bytes = 0;  // Each event is measured instead.
  http.ca_file = options_.ca_file;
  http.client_certificate_file = options_.client_certificate_file;
  http.client_key_file = options_.client_key_file;
  http.proxy = options_.proxy;
  http.keep_alive = options_.keep_alive;
  http.unacknowledged = options_.unacknowledged;
  exchange_ = http_.start(std::move(http), *this);
}

void SseStream::abandon_request() {
  disk_.stop();
  exchange_.reset();
  reading_ = false;
  waits_ = false;
  waiting_piece_ = {};
  waiting_bytes_ = {};
  ended_.reset();
}

bool SseStream::on_head(const HttpHead& head) {
  status_ = head.status;
  retry_after_ = parse_retry_after(head.find("retry-after"), clock_.unix_ms());
  began_ = clock_.now();
  reading_ = true;
  if (sink_.on_head(head) == EventSink::Head::kLeave) {
    reading_ = false;
    return false;
  }
  if (!reads()) return false;
  if (status_ != 200) return false;  // The text of an error says nothing to us.
  if (!lower_case(head.find("content-type")).starts_with("text/event-stream")) {
    fail(FailureKind::kProtocol, "the answer is no event stream");
    return false;
  }
  return true;
}

bool SseStream::on_body(std::string_view piece) {
  if (waits_) {
    waiting_bytes_ += piece;
    return true;
  }
  read(piece);
  if (reads() && disk_.begins()) exchange_->set_paused(true);
  return reads();
}

void SseStream::on_end(const std::optional<HttpError>& error) {
  disk_.stop();
  // Before a head nothing could be given up.
  if (status_ != 0 && !reading_) return;
  if (waits_) {
    ended_.emplace(error);
  } else {
    finish(error);
  }
}

// What they bring.

void SseStream::read(std::string_view bytes) {
  while (reads() && !waits_) {
    const EventStreamParser::Part part = parser_->next(bytes);
    if (part == EventStreamParser::Part::kMore) return;
    take_part(part);
    if (waits_) waiting_bytes_ = bytes;
  }
}

bool SseStream::take_part(EventStreamParser::Part part) {
  using Part = EventStreamParser::Part;
  switch (part) {
    case Part::kMore:
    case Part::kComment:
      return true;
    case Part::kRetry:
      backoff_.set_base(parser_->retry());
      return true;
    case Part::kTooLarge:
      fail(FailureKind::kTooLarge, std::string(parser_->problem()));
      return false;
    case Part::kBroken:
      fail(FailureKind::kMalformed, std::string(parser_->problem()));
      return false;
    case Part::kData:
      return take_data(parser_->piece());
    case Part::kEvent:
      return end_event();
  }
  return true;
}

bool SseStream::take_data(std::string_view piece) {
  if (!in_event_) {
    const EventSink::Wish wish = sink_.on_event_begin(parser_->name());
    if (!reads()) return false;
    if (wish == EventSink::Wish::kWait) {
      waits_ = true;
      waiting_piece_ = piece;
      exchange_->set_paused(true);
      return false;
    }
    in_event_ = true;
    ignores_event_ = wish == EventSink::Wish::kIgnore;
  }
  if (ignores_event_) return true;
  auto eaten = sink_.on_event_data(piece);
  if (!eaten && reads()) fail(FailureKind::kMalformed, std::move(eaten.error()));
  return reads();
}

bool SseStream::end_event() {
  in_event_ = false;
  if (ignores_event_) return true;
  auto next = sink_.on_event_end();
  if (!reads()) return false;
  if (!next) {
    fail(FailureKind::kMalformed, std::move(next.error()));
  } else if (*next == EventSink::Next::kReopen) {
    reopen_after_failure();
  }
  return reads();
}

void SseStream::proceed() {
  if (!waits_ || proceeding_) return;
  proceeding_ = true;
  waits_ = false;
  const std::string piece = std::exchange(waiting_piece_, {});
  const std::string bytes = std::exchange(waiting_bytes_, {});
  take_data(piece);
  if (waits_) {
    waiting_bytes_ = bytes;
  } else {
    read(bytes);
  }
  proceeding_ = false;
  if (!reads() || waits_) return;
  if (ended_) return finish(*std::exchange(ended_, std::nullopt));
  if (!disk_.begins()) exchange_->set_paused(false);
}

// Their ends.

void SseStream::finish(const std::optional<HttpError>& error) {
  if (error) return fail(error->kind, error->message);
  if (status_ != 200) {
    return fail(failure_of_http_status(status_), "status " + std::to_string(status_));
  }
  if (!parser_->between_events()) {
    return fail(FailureKind::kTruncated, "the stream was cut inside an event");
  }
  if (clock_.now() - began_ >= options_.backoff.good) return reopen_after_failure();
  fail(FailureKind::kTruncated, "the stream ended");
}

void SseStream::reopen_after_failure() {
  reopen(backoff_.failed(Regime::kOrdinary, clock_.now(), random_.next()));
}

void SseStream::fail(FailureKind kind, std::string cause) {
  const Regime regime = options_.judge(kind, status_);
  denied_ = regime == Regime::kDenied;
  const milliseconds wait =
      std::max(backoff_.failed(regime, clock_.now(), random_.next(), retry_after_), kAtOnce);
  reopen(wait);
  sink_.on_stream_failure(kind, std::move(cause), wait);
}

}  // namespace flagstone::upstream
