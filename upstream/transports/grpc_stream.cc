#include "upstream/transports/grpc_stream.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "upstream/failure_of_status.h"

namespace flagstone::upstream {
namespace {

// A stream that lived at least so long, and brought something, may end without that being worth a
// word: servers limit a stream's life.
constexpr milliseconds kLifeWorthAQuietEnd{500};
// After such an end. Spread, as a server ends many streams at once.
constexpr milliseconds kQuietWaitMax{1'000};

bool is_grpc(std::string_view content_type) {
  constexpr std::string_view kType = "application/grpc";
  if (!content_type.starts_with(kType)) return false;
  content_type.remove_prefix(kType.size());
  return content_type.empty() || content_type.front() == '+' || content_type.front() == ';';
}

}  // namespace

GrpcStream::GrpcStream(net::Loop& loop, HttpClient& http, const Clock& clock, RandomSource& random,
                       GrpcStreamOptions options, MakeHeaders make_headers, DocumentSink& sink)
    : http_(http),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      make_headers_(std::move(make_headers)),
      sink_(sink),
      backoff_(options_.backoff),
      connect_(loop, [this] { connect(); }),
      message_(
          loop,
          [this] {
            fail(frames_.between_messages() ? FailureKind::kTimeout : FailureKind::kSlow,
                 "no complete message within " + std::to_string(options_.message.count()) + " ms");
          }),
      stall_(loop, [this] { close(); }),
      resume_(loop, [this] { resume(); }) {}

void GrpcStream::start() {
  assert(!running_);
  running_ = true;
  connect_.start_once(0);
}

void GrpcStream::stop() {
  running_ = false;
  connect_.stop();
  close();
}

void GrpcStream::refresh() {
  if (!running_) return;
  if (in_work_) {
    ask_again_ = true;
    return;
  }
  close();
  connect_.start_once(0);
}

void GrpcStream::ask_anew() {
  backoff_.forgive();
  refresh();
}

void GrpcStream::try_now() {
  if (denied_ && !in_work_) ask_anew();
}

void GrpcStream::connect() {
  assert(!in_work_);
  close();
  auto headers = make_headers_();
  if (!headers) return fail(FailureKind::kCredential, headers.error());
  headers->push_back({"Content-Type", "application/grpc"});
  headers->push_back({"TE", "trailers"});
  headers->push_back({"grpc-accept-encoding", "identity"});
  HttpRequest request{.url = options_.url,
                      .unix_socket = options_.unix_socket,
                      .headers = std::move(*headers),
                      .limits = {.connect = options_.connect,
                                 .first_byte = options_.message,
                                 .idle = milliseconds(0),
                                 .whole = milliseconds(0),
                                 .body_bytes = 0},
                      .body = options_.body,
                      .http2 = true,
                      .ca_file = options_.ca_file,
                      .client_certificate_file = options_.client_certificate_file,
                      .client_key_file = options_.client_key_file,
                      .proxy = options_.proxy,
                      .keep_alive = options_.keep_alive,
                      .unacknowledged = options_.unacknowledged};
  opened_ = clock_.now();
  exchange_ = http_.start(std::move(request), *this);
  if (options_.message.count() > 0) message_.start_once(options_.message.count());
}

// Forgets the stream with all that came of it. What is in work stays in work.
void GrpcStream::close() {
  exchange_.reset();
  message_.stop();
  stall_.stop();
  resume_.stop();
  frames_ = {};
  skipping_ = false;
  messages_ = 0;
  waiting_.clear();
  waiting_end_.reset();
  http_status_ = 0;
  retry_after_.reset();
  status_.reset();
  status_message_.clear();
  content_type_.clear();
}

bool GrpcStream::on_head(const HttpHead& head) {
  http_status_ = head.status;
  content_type_ = head.find("content-type");
  retry_after_ = parse_retry_after(head.find("retry-after"), clock_.unix_ms());
  note_status(head.headers);
  return http_status_ == 200 && is_grpc(content_type_);
}

bool GrpcStream::on_body(std::string_view piece) {
  take(piece);
  return exchange_ != nullptr;
}

void GrpcStream::on_trailers(const std::vector<HttpHeader>& trailers) { note_status(trailers); }

void GrpcStream::note_status(const std::vector<HttpHeader>& headers) {
  for (const HttpHeader& header : headers) {
    if (header.name == "grpc-status") status_ = parse_grpc_status(header.value);
    if (header.name == "grpc-message") status_message_ = header.value;
  }
}

void GrpcStream::take(std::string_view bytes) {
  taking_ = true;
  while (exchange_ != nullptr) {
    if (in_work_) {
      waiting_ += bytes;
      break;
    }
    const GrpcPart part = frames_.next(bytes);
    if (part.kind == GrpcPart::Kind::kMore) break;
    if (part.kind == GrpcPart::Kind::kBegin) begin_message(part);
    if (part.kind == GrpcPart::Kind::kPiece) take_piece(part.piece);
    if (part.kind == GrpcPart::Kind::kEnd) end_message();
  }
  taking_ = false;
  if (waiting_.size() > options_.waiting_bytes_max) close();
}

void GrpcStream::begin_message(const GrpcPart& part) {
  if (part.compressed) {
    return fail(FailureKind::kEncoding, "a compressed message, which nobody asked for");
  }
  if (part.length > options_.message_bytes_max) {
    return fail(FailureKind::kTooLarge, "announces a message of " + std::to_string(part.length) +
                                            " bytes, allowed are " +
                                            std::to_string(options_.message_bytes_max));
  }
  // The first message's time runs since the stream was opened.
  if (messages_ > 0 && options_.message.count() > 0) message_.start_once(options_.message.count());
  skipping_ = false;
  sink_.on_begin(content_type_);
}

void GrpcStream::take_piece(std::string_view piece) {
  if (skipping_) return;
  auto eaten = sink_.on_piece(piece);
  if (!eaten) document_failed(std::move(eaten.error()));
}

void GrpcStream::end_message() {
  message_.stop();
  ++messages_;
  if (skipping_) return;
  in_work_ = true;  // Before the call: the sink may lead to settle() at once.
  auto arrival = sink_.on_complete({});
  if (!arrival) {
    in_work_ = false;
    return document_failed(std::move(arrival.error()));
  }
  backoff_.succeeded(clock_.now());
  denied_ = false;
  if (*arrival == Arrival::kUnchanged) {
    in_work_ = false;
    connect_.stop();
    return sink_.on_unchanged();
  }
  if (!in_work_) return;  // Settled already.
  connect_.stop();
  if (exchange_ == nullptr) return;
  stall_.start_once(options_.stall.count());
}

void GrpcStream::settle(Outcome outcome) {
  assert(in_work_);
  in_work_ = false;
  stall_.stop();
  if (!running_) return;
  if (std::exchange(ask_again_, false)) return refresh();
  if (exchange_ == nullptr) return connect_.start_once(0);  // It took too long.
  if (outcome == Outcome::kAccepted) {
    connect_.stop();
  } else {
    // The stream stays open meanwhile: the next message may be a better one.
    const bool soon = outcome == Outcome::kRefusedForNow;
    connect_.start_once((soon ? wait_after(FailureKind::kUnreadable) : options_.reopen).count());
  }
  if (!taking_) resume_.start_once(0);
}

void GrpcStream::resume() {
  take(std::exchange(waiting_, {}));
  if (in_work_ || exchange_ == nullptr) return;
  if (waiting_end_) judge_end(*std::exchange(waiting_end_, std::nullopt));
}

void GrpcStream::on_end(const std::optional<HttpError>& error) {
  if (in_work_ || resume_.running()) {
    waiting_end_ = error;  // First what came before it.
  } else {
    judge_end(error);
  }
}

void GrpcStream::judge_end(const std::optional<HttpError>& error) {
  if (status_) return judge_status();
  if (http_status_ != 0 && http_status_ != 200) {
    return fail(failure_of_http_status(http_status_), "status " + std::to_string(http_status_));
  }
  if (error) return fail(error->kind, error->message);
  if (!is_grpc(content_type_)) return fail(FailureKind::kProtocol, "the answer is not gRPC");
  // curl 7.88 loses the trailers when the connection's end comes with them.
  if (lived_well()) return reconnect_quietly();
  fail(FailureKind::kTruncated, "the stream ended without a status");
}

void GrpcStream::judge_status() {
  const net::RpcCode code = *status_;
  const bool whole = frames_.between_messages();
  // A server may limit a stream's life, with the one status or the other.
  const bool orderly = code == net::RpcCode::kOk || code == net::RpcCode::kDeadlineExceeded;
  if (orderly && lived_well()) return reconnect_quietly();
  if (code == net::RpcCode::kOk) {
    return fail(FailureKind::kTruncated, whole ? "the server ended the stream at once"
                                               : "the stream ended inside a message");
  }
  std::string sentence = grpc_status_sentence(code, status_message_);
  if (code == net::RpcCode::kUnimplemented && !options_.unimplemented_hint.empty()) {
    sentence += "; " + options_.unimplemented_hint;
  }
  fail(failure_of_grpc_status(code), std::move(sentence));
}

bool GrpcStream::lived_well() const {
  return messages_ > 0 && frames_.between_messages() &&
         clock_.now() - opened_ >= kLifeWorthAQuietEnd;
}

void GrpcStream::reconnect_quietly() {
  close();
  // A document that was held is to be asked for only later.
  if (connect_.running()) return;
  connect_.start_once(between(milliseconds(1), kQuietWaitMax, random_.next()).count());
}

// The stream itself is well: it goes on, and is opened again unless something better comes.
void GrpcStream::document_failed(std::string cause) {
  skipping_ = true;
  const milliseconds wait = wait_after(FailureKind::kMalformed);
  connect_.start_once(wait.count());
  sink_.on_failure(FailureKind::kMalformed, std::move(cause), wait);
}

void GrpcStream::fail(FailureKind kind, std::string cause) {
  const milliseconds wait = wait_after(kind);
  close();
  connect_.start_once(wait.count());
  sink_.on_failure(kind, std::move(cause), wait);
}

milliseconds GrpcStream::wait_after(FailureKind kind) {
  const Regime regime = kind == FailureKind::kUnauthorized ? Regime::kDenied : Regime::kOrdinary;
  denied_ = regime == Regime::kDenied;
  // Never zero: a timer that starts itself again at zero would not let the loop (libuv before 1.45)
  // do anything else.
  return std::max(backoff_.failed(regime, clock_.now(), random_.next(), retry_after_),
                  milliseconds(1));
}

}  // namespace flagstone::upstream
