// How Http1Session answers: the second half of its life with a request, deferred answers and event
// streams.
#include <array>
#include <cassert>
#include <charconv>
#include <utility>

#include "net/http1_head.h"
#include "net/http1_session.h"
#include "net/http1_target.h"

namespace flagstone::net {

// The answer that is given inside Handler::handle().
class Http1Session::Answer final : public Response {
 public:
  // Deferring needs a whole request; what a known header says of it is copied then.
  Answer(Http1Session& session, const Request* whole, const Http1KnownHeader* known)
      : session_(session), whole_(whole), known_(known) {
    session_.resources_.answer.clear();
  }

  using Response::send;
  std::string& body() override { return session_.resources_.answer; }
  bool given() const { return given_; }

  // Trailers are dropped: see Response.
  void send(int status, std::string_view content_type, std::span<const HeaderField> headers,
            std::span<const HeaderField> /*trailers*/) override {
    give();
    session_.say_answer(body(), status, content_type, headers);
  }
  std::unique_ptr<EventStream> open_stream(int status, std::string_view content_type,
                                           std::span<const HeaderField> headers) override {
    give();
    return session_.begin_stream(body(), status, content_type, headers);
  }
  std::unique_ptr<DeferredResponse> defer() override {
    assert(whole_ != nullptr);
    if (whole_ == nullptr) return std::make_unique<SessionDeferral>(nullptr, Request(), nullptr);
    give();
    Request request = *whole_;
    std::unique_ptr<RequestStore> store = std::move(session_.store_);
    if (known_ != nullptr) {
      store = session_.resources_.take_store();
      known_->copy_to(*store, request);
    }
    auto deferral = make_deferral(session_, request, std::move(store));
    session_.deferral_ = deferral.get();
    return deferral;
  }

 private:
  void give() {
    assert(!given_);
    given_ = true;
  }

  Http1Session& session_;
  const Request* whole_;
  const Http1KnownHeader* known_;
  bool given_ = false;
};

void Http1Session::answer_request() {
  Request request = make_request();
  if (body_in_place_.data() != nullptr) {
    request.body = body_in_place_;
  } else {
    store_->body.reserve(store_->body.size() + Request::kBodyPaddingBytes);
    request.body = store_->body;
  }
  answer(request, nullptr);
}

void Http1Session::answer(const Request& request, const Http1KnownHeader* known) {
  resources_.counters.requests.add();
  Answer answer(*this, &request, known);
  resources_.handler.handle(request, answer);
  assert(answer.given());
  if (!answer.given()) {
    answer.body().clear();
    answer.send(500, {});
  }
  resources_.trim_answer();
  if (store_ != nullptr) resources_.give_back(std::move(store_));
  path_ = query_ = host_text_ = body_in_place_ = {};
  after_answer();
}

void Http1Session::after_answer() {
  if (deferral_ != nullptr) {
    phase_ = SessionPhase::kAnswering;
  } else if (dropped_) {
    phase_ = SessionPhase::kFailed;
  } else if (streams()) {
    phase_ = SessionPhase::kStreaming;
  } else {
    phase_ = keep_alive_ ? SessionPhase::kIdle : SessionPhase::kDone;
  }
}

void Http1Session::say_answer(std::string& body, int status, std::string_view content_type,
                              std::span<const HeaderField> headers) {
  const bool bodiless = status == 204 || status == 304;
  Http1Head head;
  head.beginning = resources_.head_beginning.of(status, content_type);
  head.headers = headers;
  if (!bodiless) head.content_length = body.size();
  say_head(head);
  if (!bodiless && method_ != Method::kHead) put(body);
}

std::unique_ptr<EventStream> Http1Session::begin_stream(std::string& body, int status,
                                                        std::string_view content_type,
                                                        std::span<const HeaderField> headers) {
  // HTTP/1.0 knows no chunks: there the end of the connection ends the stream.
  if (is_http10_) keep_alive_ = false;
  Http1Head head;
  head.beginning = resources_.head_beginning.of(status, content_type);
  head.headers = headers;
  head.chunked = !is_http10_;
  say_head(head);
  const bool head_only = method_ == Method::kHead;
  EventStreamCarrier* carrier = head_only ? nullptr : this;
  auto stream = std::make_unique<SessionEventStream>(carrier);
  if (head_only) return stream;
  stream_ = stream.get();
  resources_.counters.event_streams.add();
  if (!body.empty()) emit(body);
  return stream;
}

// With what the connection has to say in it.
void Http1Session::say_head(Http1Head& head) {
  if (finish_soon_) keep_alive_ = false;
  head.close = !keep_alive_;
  head.says_keep_alive = is_http10_;
  if (output_ != nullptr) {
    append_http1_head(head, *output_);
    return;
  }
  std::string text;
  append_http1_head(head, text);
  host_.send_later(text);
}

void Http1Session::put(std::string_view piece) {
  if (output_ != nullptr) {
    output_->append(piece);
  } else {
    host_.send_later(piece);
  }
}

void Http1Session::send_deferred(std::string& body, int status, std::string_view content_type,
                                 std::span<const HeaderField> headers,
                                 std::span<const HeaderField> /*trailers*/) {
  deferral_ = nullptr;
  say_answer(body, status, content_type, headers);
  deferral_over();
}

std::unique_ptr<EventStream> Http1Session::stream_deferred(std::string& body, int status,
                                                           std::string_view content_type,
                                                           std::span<const HeaderField> headers) {
  deferral_ = nullptr;
  auto stream = begin_stream(body, status, content_type, headers);
  deferral_over();
  return stream;
}

void Http1Session::deferral_dropped() {
  deferral_ = nullptr;
  dropped_ = true;
  deferral_over();
}

// Inside the request's own handle() the phase is set behind it.
void Http1Session::deferral_over() {
  if (phase_ != SessionPhase::kAnswering) return;
  after_answer();
  host_.resume_later();
}

// The parser has stopped for good. Nothing after this point of the connection is looked at.
void Http1Session::fail(llhttp_errno_t error) {
  if (refusal_status_ == 0) {
    // The same error number stands for a bare line feed behind a good version.
    const char* why = llhttp_get_error_reason(&parser_);
    const bool version =
        error == HPE_INVALID_VERSION && why == std::string_view("Invalid HTTP version");
    refusal_status_ = version ? 505 : 400;
    refusal_reason_ = version ? kVersionRefused : "the request is malformed";
  }
  keep_alive_ = false;
  learn_path_of_half_a_header();
  resources_.counters.refusals.add();
  const Request request = make_request();
  Answer answer(*this, nullptr, nullptr);
  resources_.handler.refuse({refusal_status_, refusal_reason_, {}}, request, answer);
  assert(answer.given());
  if (!answer.given()) answer.send(refusal_status_, {});
  if (store_ != nullptr) resources_.give_back(std::move(store_));
  phase_ = SessionPhase::kFailed;
}

// So that the refusal is in the manner of the api asked, when the target at least has come whole.
// Fields of a header that was not read to its end are not shown.
void Http1Session::learn_path_of_half_a_header() {
  if (phase_ != SessionPhase::kHeader || store_ == nullptr || store_->fields.empty()) return;
  method_ = method_of(parser_);
  const std::string_view target = std::string_view(store_->text).substr(0, target_bytes_);
  if (const auto parts = parse_http1_target(target, method_)) path_ = parts->path;
}

void Http1Session::emit(std::string_view bytes) {
  if (is_http10_) {
    put(bytes);
    return;
  }
  std::array<char, 20> size;
  char* end = std::to_chars(size.data(), size.data() + 16, bytes.size(), 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  put({size.data(), end});
  put(bytes);
  put("\r\n");
}

bool Http1Session::stream_send(std::string_view bytes) {
  if (shared_ != nullptr) return false;
  if (bytes.empty()) return true;  // an empty chunk would end the stream
  const std::size_t unsent = host_.unsent_bytes() + (output_ != nullptr ? output_->size() : 0);
  if (unsent > 0 && unsent + bytes.size() > EventStream::kUnsentBytesMax) return false;
  emit(bytes);
  return true;
}

bool Http1Session::stream_send_shared(std::shared_ptr<const std::string> bytes) {
  if (shared_ != nullptr) return false;
  if (bytes->empty()) return true;
  shared_ = std::move(bytes);
  shared_said_ = 0;
  host_.produce_later();
  return true;
}

// A chunk of a few pages at a time, and the next once the peer has taken it: hundreds of slow peers
// share these bytes, and hold few copies of them.
void Http1Session::produce(std::string& output) {
  constexpr std::size_t kPieceBytes = 64 * 1024;
  if (shared_ == nullptr) return;
  output_ = &output;
  while (shared_said_ < shared_->size() && output.size() + host_.unsent_bytes() < kPieceBytes) {
    const std::string_view piece = std::string_view(*shared_).substr(shared_said_, kPieceBytes);
    emit(piece);
    shared_said_ += piece.size();
  }
  if (shared_said_ == shared_->size()) {
    shared_.reset();
    if (stream_ == nullptr) {
      finish_stream();
    } else if (stream_->refused()) {
      host_.resume_later();
    }
  }
  output_ = nullptr;
}

void Http1Session::detach_stream() {
  stream_ = nullptr;
  resources_.counters.event_streams.subtract();
  if (shared_ == nullptr) finish_stream();  // else once that is said
}

void Http1Session::finish_stream() {
  if (!is_http10_) put("0\r\n\r\n");
  // Inside the request's own handle() the phase is set behind it.
  if (phase_ != SessionPhase::kStreaming) return;
  if (finish_soon_) keep_alive_ = false;
  phase_ = keep_alive_ ? SessionPhase::kIdle : SessionPhase::kDone;
  host_.resume_later();
}

void Http1Session::stream_closed_by_api(std::span<const HeaderField> /*trailers*/) {
  detach_stream();
}

void Http1Session::stream_aborted_by_api() {
  stream_ = nullptr;
  resources_.counters.event_streams.subtract();
  shared_.reset();
  dropped_ = true;
  // Inside the request's own handle() the phase is set behind it.
  if (phase_ != SessionPhase::kStreaming) return;
  phase_ = SessionPhase::kFailed;
  host_.resume_later();
}

void Http1Session::end_event_streams() {
  if (stream_ == nullptr || stream_->is_finite()) return;
  SessionEventStream* stream = stream_;
  finish_soon_ = true;
  detach_stream();
  stream->lost();
}

void Http1Session::output_drained() {
  if (stream_ != nullptr && shared_ == nullptr) stream_->drained();
}

}  // namespace flagstone::net
