// How Http2Session answers: heads, bodies, trailers, deferred answers and event streams.
#include <array>
#include <cassert>
#include <charconv>
#include <utility>

#include "net/ascii.h"
#include "net/event_stream.h"
#include "net/field_value.h"
#include "net/http2_codec.h"
#include "net/http2_session.h"

namespace flagstone::net {
namespace {

// "Date: " and the line break are HTTP/1's.
std::string_view date_of(std::string_view line) {
  constexpr std::string_view kName = "Date: ";
  constexpr std::string_view kEnd = "\r\n";
  return line.substr(kName.size(), line.size() - kName.size() - kEnd.size());
}

// The fields of one head, whose text the stream keeps: nghttp2 copies nothing, and reads it once
// more when it says the head, for which the stream must be open.
class FieldList {
 public:
  FieldList(std::vector<nghttp2_nv>& list, std::string& text, std::size_t text_bytes)
      : list_(list), text_(text) {
    list_.clear();
    text_.clear();
    text_.reserve(text_bytes);  // the fields point into it, so it must not move
  }

  // The name is a constant in lower case.
  void add(std::string_view name, std::string_view value) {
    add_field(name, keep([value](std::string& text) { text.append(value); }));
  }
  void add_named(std::string_view name, std::string_view value) {
    add(keep([name](std::string& text) { append_lower(name, text); }), value);
  }

 private:
  template <typename Append>
  std::string_view keep(Append append) {
    const std::size_t begin = text_.size();
    append(text_);
    return std::string_view(text_).substr(begin);
  }
  void add_field(std::string_view name, std::string_view value) {
    const auto bytes = [](std::string_view part) {
      return reinterpret_cast<std::uint8_t*>(const_cast<char*>(part.data()));
    };
    list_.push_back({bytes(name), bytes(value), name.size(), value.size(),
                     NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE});
  }

  std::vector<nghttp2_nv>& list_;
  std::string& text_;
};

}  // namespace

// The answer that is given inside Handler::handle().
class Http2Session::Answer final : public Response {
 public:
  // Deferring needs a whole request.
  Answer(Http2Session& session, Http2Stream& stream, const Request& request, bool whole)
      : session_(session), stream_(stream), request_(request), whole_(whole) {
    session.resources_.answer.clear();
  }

  using Response::send;
  std::string& body() override { return session_.resources_.answer; }
  bool given() const { return given_; }

  void send(int status, std::string_view content_type, std::span<const HeaderField> headers,
            std::span<const HeaderField> trailers) override {
    give();
    session_.say_answer(stream_, is_head(), body(), status, content_type, headers, trailers);
  }
  std::unique_ptr<EventStream> open_stream(int status, std::string_view content_type,
                                           std::span<const HeaderField> headers) override {
    give();
    return session_.begin_events(stream_, is_head(), body(), status, content_type, headers);
  }
  std::unique_ptr<DeferredResponse> defer() override {
    assert(whole_);
    if (!whole_) return std::make_unique<SessionDeferral>(nullptr, Request(), nullptr);
    give();
    return session_.defer(stream_, request_);
  }

 private:
  bool is_head() const { return request_.method == Method::kHead; }
  void give() {
    assert(!given_);
    given_ = true;
  }

  Http2Session& session_;
  Http2Stream& stream_;
  const Request& request_;
  const bool whole_;
  bool given_ = false;
};

void Http2Session::answer_request(Http2Stream& stream) {
  Request request = make_request(stream);
  if (in_place_ == &stream) {
    request.body = stream.body_in_place;
  } else {
    std::string& body = store_of(stream).body;
    body.reserve(body.size() + Request::kBodyPaddingBytes);
    request.body = body;
  }
  stream.answered = true;
  resources_.counters.requests.add();
  Answer answer(*this, stream, request, true);
  resources_.handler.handle(request, answer);
  assert(answer.given());
  if (!answer.given()) {
    answer.body().clear();
    answer.send(500, {});
  }
  resources_.trim_answer();
  drop_request(stream);
}

void Http2Session::refuse(Http2Stream& stream, int status, const char* reason) {
  const Request request = make_request(stream);
  stream.answered = true;
  resources_.counters.refusals.add();
  Answer answer(*this, stream, request, false);
  resources_.handler.refuse({status, reason, {}}, request, answer);
  assert(answer.given());
  if (!answer.given()) answer.send(status, {});
  drop_request(stream);
}

void Http2Session::say_answer(Http2Stream& stream, bool is_head, std::string& body, int status,
                              std::string_view content_type, std::span<const HeaderField> headers,
                              std::span<const HeaderField> trailers) {
  const bool bodiless = status == 204 || status == 304;
  const bool says_body = !bodiless && !is_head && (!body.empty() || !trailers.empty());
  const std::size_t size = body.size();
  const bool says_length = !bodiless && trailers.empty();
  if (says_body) {
    // The bytes themselves change hands: the next answer is made in the stream's old, warm ones.
    stream.output.bytes.swap(body);
    stream.output.add_trailers(trailers);
  }
  stream.output.ends = true;
  submit_head(stream, status, content_type, headers, says_length ? &size : nullptr, says_body);
  count_waiting(stream);
}

std::unique_ptr<EventStream> Http2Session::begin_events(Http2Stream& stream, bool is_head,
                                                        std::string& body, int status,
                                                        std::string_view content_type,
                                                        std::span<const HeaderField> headers) {
  if (is_head) {
    submit_head(stream, status, content_type, headers, nullptr, false);
    return std::make_unique<SessionEventStream>(nullptr);
  }
  auto events = std::make_unique<SessionEventStream>(&stream);
  stream.events = events.get();
  ++event_streams_;
  resources_.counters.event_streams.add();
  stream.output.append(body);
  submit_head(stream, status, content_type, headers, nullptr, true);
  count_waiting(stream);
  return events;
}

// The request's text changes hands, and stays in the sums.
std::unique_ptr<SessionDeferral> Http2Session::defer(Http2Stream& stream, const Request& request) {
  if (in_place_ == &stream) {
    in_place_ = nullptr;
    held_body_bytes_ += stream.body_in_place.size();
  }
  Request own = request;
  if (stream.known != nullptr) stream.known->copy_to(store_of(stream), own);
  auto deferral = make_deferral(stream, own, std::move(stream.store));
  stream.deferral = deferral.get();
  stream.deferred_body_bytes = deferral->request().body.size();
  stream.deferred_other_bytes = deferral->held_bytes() - stream.deferred_body_bytes;
  deferred_bytes_ += stream.deferred_other_bytes;
  ++deferrals_;
  return deferral;
}

SessionDeferral* Http2Session::deferral_over(Http2Stream& stream) {
  --deferrals_;
  held_body_bytes_ -= std::exchange(stream.deferred_body_bytes, 0);
  deferred_bytes_ -= std::exchange(stream.deferred_other_bytes, 0);
  return std::exchange(stream.deferral, nullptr);
}

void Http2Stream::send_deferred(std::string& body, int status, std::string_view content_type,
                                std::span<const HeaderField> headers,
                                std::span<const HeaderField> trailers) {
  const SessionDeferral* over = session->deferral_over(*this);
  const bool is_head = over->request().method == Method::kHead;
  session->say_answer(*this, is_head, body, status, content_type, headers, trailers);
  session->say_later();
}

std::unique_ptr<EventStream> Http2Stream::stream_deferred(std::string& body, int status,
                                                          std::string_view content_type,
                                                          std::span<const HeaderField> headers) {
  const SessionDeferral* over = session->deferral_over(*this);
  const bool is_head = over->request().method == Method::kHead;
  auto stream = session->begin_events(*this, is_head, body, status, content_type, headers);
  session->say_later();
  return stream;
}

void Http2Stream::deferral_dropped() {
  session->deferral_over(*this);
  nghttp2_submit_rst_stream(session->codec_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
  session->say_later();
}

void Http2Session::submit_head(Http2Stream& stream, int status, std::string_view content_type,
                               std::span<const HeaderField> headers,
                               const std::size_t* content_length, bool with_body) {
  std::array<char, 20> status_text;
  std::array<char, 20> length_text;
  const auto number = [](std::array<char, 20>& text, std::size_t value) {
    return std::string_view(text.data(),
                            std::to_chars(text.data(), text.data() + text.size(), value).ptr);
  };
  const std::string_view date = date_of(resources_.date_line());
  constexpr std::size_t kNumberBytes = 40;
  std::size_t room = kNumberBytes + date.size() + content_type.size();
  for (const HeaderField& field : headers) room += field.name.size() + field.value.size();
  FieldList fields(resources_.http2.fields, stream.output.head_text, room);
  fields.add(":status", number(status_text, static_cast<std::size_t>(status)));
  fields.add("date", date);
  if (!content_type.empty() && is_safe_field_value(content_type)) {
    fields.add("content-type", content_type);
  }
  for (const HeaderField& field : headers) {
    if (is_safe_field_value(field.value)) fields.add_named(field.name, field.value);
  }
  if (content_length != nullptr) fields.add("content-length", number(length_text, *content_length));
  const nghttp2_data_provider data = Codec::data_of(stream);
  // It fails when the peer has reset the stream meanwhile, and for want of memory: both end the
  // stream, and its owner is told.
  nghttp2_submit_response(codec_.get(), stream.id, resources_.http2.fields.data(),
                          resources_.http2.fields.size(), with_body ? &data : nullptr);
}

bool Http2Stream::stream_send(std::string_view bytes) {
  if (output.shared != nullptr) return false;
  const std::size_t unsent = output.waiting();
  if (unsent > 0 && unsent + bytes.size() > EventStream::kUnsentBytesMax) return false;
  output.append(bytes);
  session->more_to_say(*this);
  return true;
}

bool Http2Stream::stream_send_shared(std::shared_ptr<const std::string> bytes) {
  if (output.shared != nullptr) return false;
  if (bytes->empty()) return true;
  output.shared = std::move(bytes);
  output.shared_said = 0;
  session->more_to_say(*this);
  return true;
}

void Http2Stream::stream_closed_by_api(std::span<const HeaderField> trailers) {
  events = nullptr;
  session->event_stream_over(*this);
  output.add_trailers(trailers);
  output.ends = true;
  session->more_to_say(*this);
}

void Http2Stream::stream_aborted_by_api() {
  events = nullptr;
  session->event_stream_over(*this);
  output.drop_body();
  session->count_waiting(*this);
  nghttp2_submit_rst_stream(session->codec_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
  session->say_later();
}

}  // namespace flagstone::net
