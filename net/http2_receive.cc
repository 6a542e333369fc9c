// How Http2Session reads requests.
#include <algorithm>
#include <cassert>
#include <utility>

#include "net/http1_target.h"
#include "net/http2_session.h"

namespace flagstone::net {
namespace {

constexpr const char* kTooMuchHeld = "too many requests are half received; try again";
// A header of which so many times the permitted bytes have come, before or after decoding, is an
// attack and not a request that is too large.
constexpr std::size_t kHeaderExcess = 2;
// What may well arrive at once, and then holds nothing.
constexpr std::size_t kSmallBodyBytes = 16 * 1024;

Method method_of(std::string_view text) {
  for (const Method method : {Method::kGet, Method::kPost, Method::kHead, Method::kPut,
                              Method::kPatch, Method::kDelete, Method::kOptions, Method::kReport}) {
    if (text == to_string(method)) return method;
  }
  return Method::kOther;
}

std::string_view part(const std::string& text, Http2Stream::Span span) {
  return std::string_view(text).substr(span.begin, span.end - span.begin);
}

bool costs_nothing(const nghttp2_frame_hd& head) {
  switch (head.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
    case NGHTTP2_RST_STREAM:
    case NGHTTP2_GOAWAY:
      return false;
    case NGHTTP2_DATA: {
      // Up to a handful of bytes, the frame is more than what it carries.
      constexpr std::size_t kWorthwhileBytes = 16;
      return head.length < kWorthwhileBytes && (head.flags & NGHTTP2_FLAG_END_STREAM) == 0;
    }
    default:
      return true;
  }
}

}  // namespace

int Http2Session::frame_begun(const nghttp2_frame_hd& head) {
  if (ending_) return 0;
  if (head.type == NGHTTP2_HEADERS) {
    header_wire_bytes_ = head.length;
  } else if (head.type == NGHTTP2_CONTINUATION) {
    header_wire_bytes_ += head.length;
    if (head.length == 0 && !budget_.take_control_frame(resources_.now_ms)) calm_down();
  } else if (head.type == NGHTTP2_RST_STREAM) {
    if (!budget_.take_reset(resources_.now_ms)) calm_down();
  } else if (costs_nothing(head) && !budget_.take_control_frame(resources_.now_ms)) {
    calm_down();
  }
  if (header_wire_bytes_ > kHeaderExcess * resources_.limits.header_bytes_max) calm_down();
  return 0;
}

// One answer of any size may wait: a peer that fetches a large one can ask on meanwhile.
bool Http2Session::answers_wait_beyond_measure() const {
  if (answer_bytes_ < kWaitingBytesMax) return false;
  std::size_t largest = 0;
  for (const auto& stream : streams_) largest = std::max(largest, stream->counted_own);
  return answer_bytes_ - largest >= kWaitingBytesMax;
}

int Http2Session::header_begun(const nghttp2_frame& frame) {
  if (ending_) return 0;
  header_stream_ = frame.hd.stream_id;
  if (frame.headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  if (final_given_ || answers_wait_beyond_measure()) {
    return nghttp2_submit_rst_stream(codec_.get(), NGHTTP2_FLAG_NONE, frame.hd.stream_id,
                                     NGHTTP2_REFUSED_STREAM);
  }
  open_stream(frame.hd.stream_id);
  return 0;
}

// Of headers and, counted but not kept, of trailers.
int Http2Session::add_field(const nghttp2_frame& frame, std::string_view name,
                            std::string_view value) {
  Http2Stream* stream = stream_of(frame.hd.stream_id);
  if (ending_ || stream == nullptr) return 0;
  const HttpLimits& limits = resources_.limits;
  const bool first = stream->header_bytes == 0;
  stream->header_bytes += name.size() + value.size();
  if (stream->header_bytes > kHeaderExcess * limits.header_bytes_max) {
    calm_down();
    return 0;
  }
  if (stream->refusal_status != 0 || stream->answered ||
      frame.headers.cat != NGHTTP2_HCAT_REQUEST) {
    return 0;
  }
  if (stream->header_bytes > limits.header_bytes_max) {
    stream->refusal_status = 431;
    stream->refusal_reason = "the request's header is too large";
    return 0;
  }
  if (!is_known_field(*stream, name, value)) keep_field(*stream, name, value);
  // What waits is to be said before another request is read.
  return first && answer_bytes_ > kWaitingBytesToPause ? NGHTTP2_ERR_PAUSE : 0;
}

// Whether the header is so far as one that is known.
bool Http2Session::is_known_field(Http2Stream& stream, std::string_view name,
                                  std::string_view value) {
  if (stream.known == nullptr) return false;
  if (!stream.known->has(stream.known_fields, name, value)) {
    Http2KnownHeader* other =
        resources_.http2.known_headers.find_like(*stream.known, stream.known_fields, name, value);
    if (other == nullptr) {
      keep_known_fields(stream);
      return false;
    }
    --stream.known->users;
    stream.known = other;
    ++other->users;
  }
  ++stream.known_fields;
  return true;
}

// It is another header after all: what of it was known is kept as if it had not been.
void Http2Session::keep_known_fields(Http2Stream& stream) {
  for (std::size_t i = 0; i < stream.known_fields; ++i) {
    const HeaderField field = stream.known->field(i);
    keep_field(stream, field.name, field.value);
  }
  forget_known(stream);
}

void Http2Session::forget_known(Http2Stream& stream) {
  if (stream.known == nullptr) return;
  --std::exchange(stream.known, nullptr)->users;
  stream.known_fields = 0;
}

RequestStore& Http2Session::store_of(Http2Stream& stream) {
  if (stream.store == nullptr) stream.store = resources_.take_store();
  return *stream.store;
}

void Http2Session::keep_field(Http2Stream& stream, std::string_view name, std::string_view value) {
  const HttpLimits& limits = resources_.limits;
  RequestStore& store = store_of(stream);
  const auto begin = static_cast<std::uint32_t>(store.text.size());
  const auto name_end = begin + static_cast<std::uint32_t>(name.size());
  const auto value_end = name_end + static_cast<std::uint32_t>(value.size());
  const Http2Stream::Span span{name_end, value_end};
  if (!name.starts_with(':')) {
    if (store.fields.size() - stream.pseudo_fields >= limits.header_count_max) {
      stream.refusal_status = 431;
      stream.refusal_reason = "the request has too many header fields";
      return;
    }
  } else {
    ++stream.pseudo_fields;
    if (name == ":method") stream.method = span;
    if (name == ":authority") stream.authority = span;
    if (name == ":path") {
      stream.path = span;
      if (value.size() > limits.target_bytes_max) {
        stream.refusal_status = 414;
        stream.refusal_reason = "the request's target is too long";
      }
    }
  }
  store.text.append(name).append(value);
  store.fields.push_back({begin, name_end, value_end});
}

int Http2Session::frame_received(const nghttp2_frame& frame) {
  if (ending_) return 0;
  const bool ends = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (frame.hd.type == NGHTTP2_SETTINGS) preface_received_ = true;
  if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return 0;
  if (frame.hd.type == NGHTTP2_HEADERS) {
    header_stream_ = 0;
    header_wire_bytes_ = 0;
  }
  Http2Stream* stream = stream_of(frame.hd.stream_id);
  if (stream == nullptr) return 0;
  const bool is_request =
      frame.hd.type == NGHTTP2_HEADERS && frame.headers.cat == NGHTTP2_HCAT_REQUEST;
  if (ends) {
    stream->request_complete = true;
    --incomplete_;
  }
  if (is_request) header_received(*stream);
  if (ends && !stream->answered) answer_request(*stream);
  return 0;
}

void Http2Session::header_received(Http2Stream& stream) {
  Http2HeaderCache& cache = resources_.http2.known_headers;
  if (stream.known != nullptr) {
    const bool whole = stream.known_fields == stream.known->store.fields.size();
    if (whole && stream.refusal_status == 0) return cache.found(*stream.known);
    keep_known_fields(stream);  // it has ended before, or is refused for what came behind
  }
  RequestStore& store = store_of(stream);
  const std::string_view text = store.text;
  for (std::size_t i = stream.pseudo_fields; i < store.fields.size(); ++i) {
    const RequestStore::Field& field = store.fields[i];
    store.views.push_back({text.substr(field.name_begin, field.name_end - field.name_begin),
                           text.substr(field.name_end, field.value_end - field.name_end)});
  }
  if (stream.refusal_status == 0) check_header(stream);
  if (stream.refusal_status != 0) {
    refuse(stream, stream.refusal_status, stream.refusal_reason);
  } else {
    cache.remember(make_request(stream), store);
  }
}

// nghttp2 has checked the order, number and form of pseudo fields, and that no field is of the
// connection.
void Http2Session::check_header(Http2Stream& stream) {
  const auto wrong = [&stream](int status, const char* reason) {
    stream.refusal_status = status;
    stream.refusal_reason = reason;
  };
  const RequestStore& store = *stream.store;
  const std::string_view method = part(store.text, stream.method);
  if (method == "CONNECT") return wrong(501, "this is no proxy");
  const std::string_view target = part(store.text, stream.path);
  if (!parse_http1_target(target, method_of(method)) ||
      (!target.starts_with('/') && target != "*")) {
    return wrong(400, "the request's target is malformed");
  }
  std::string_view authority = part(store.text, stream.authority);
  for (const auto& [name, value] : store.views) {
    if (name == "host") {
      if (!authority.empty() && value != authority) {
        return wrong(400, "the Host is not the :authority");
      }
      authority = value;
    } else if (name == "expect" && value != "100-continue") {
      return wrong(417, "only 100-continue is known");
    }
  }
  if (authority.empty()) return wrong(400, "the request has no :authority");
  if (!is_host_text(authority)) return wrong(400, "the :authority is malformed");
}

Request Http2Session::make_request(const Http2Stream& stream) const {
  Request request;
  if (stream.known != nullptr) request = stream.known->request;
  request.listener_index = listener_index_;
  request.listener_kind = listener_kind_;
  request.version = HttpVersion::k2;
  request.over_tls = host_.over_tls();
  request.peer_is_local = host_.peer_is_local();
  if (stream.known != nullptr || stream.store == nullptr) return request;
  const std::string& text = stream.store->text;
  request.method_text = part(text, stream.method);
  request.method = method_of(request.method_text);
  request.host = part(text, stream.authority);
  request.headers = stream.store->views;
  if (request.host.empty()) request.host = request.header("host").value_or("");
  if (const auto target = parse_http1_target(part(text, stream.path), request.method)) {
    request.path = target->path;
    request.query = target->query;
  }
  return request;
}

int Http2Session::add_body(std::int32_t id, std::string_view piece) {
  Http2Stream* stream = stream_of(id);
  if (ending_ || stream == nullptr || stream->answered || piece.empty()) return 0;
  stream->body_bytes += piece.size();
  const HttpLimits& limits = resources_.limits;
  std::size_t held_max = limits.connection_window_bytes;
  if (stream->body_bytes > limits.body_bytes_max) {
    const std::size_t most = limits.body_bytes_max_of(make_request(*stream).path);
    if (stream->body_bytes > most) {
      refuse(*stream, 413, "the request's body is too large");
      return 0;
    }
    held_max = std::max(held_max, most);
  }
  if (stream->body_bytes == piece.size()) {
    keep_body_in_place();
    stream->body_in_place = piece;
    in_place_ = stream;
    return 0;
  }
  const bool peer_holds_too_much = held_body_bytes_ > held_max;
  const bool all_hold_too_much =
      stream->body_bytes > kSmallBodyBytes &&
      resources_.counters.bytes_buffered.read() > resources_.buffered_bytes_max();
  if (peer_holds_too_much || all_hold_too_much) {
    refuse(*stream, 503, kTooMuchHeld);
    return 0;
  }
  if (in_place_ == stream) keep_body_in_place();
  store_of(*stream).body.append(piece);
  held_body_bytes_ += piece.size();
  return 0;
}

// The bytes under the body are about to go, or more of it has come from elsewhere.
void Http2Session::keep_body_in_place() {
  if (in_place_ == nullptr) return;
  Http2Stream& stream = *std::exchange(in_place_, nullptr);
  store_of(stream).body.append(stream.body_in_place);
  held_body_bytes_ += stream.body_in_place.size();
  stream.body_in_place = {};
}

// It was answered or is gone: what of it was kept goes back.
void Http2Session::drop_request(Http2Stream& stream) {
  if (in_place_ == &stream) in_place_ = nullptr;
  stream.body_in_place = {};
  forget_known(stream);
  if (stream.store == nullptr) return;
  held_body_bytes_ -= stream.store->body.size();
  resources_.give_back(std::move(stream.store));
}

}  // namespace flagstone::net
