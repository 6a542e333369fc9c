#include "net/http2_session.h"

#include <array>
#include <cassert>
#include <utility>

#include "net/http2_codec.h"

namespace flagstone::net {

Http2Session::Http2Session(SessionResources& resources, SessionHost& host, unsigned listener_index,
                           ListenerKind listener_kind)
    : resources_(resources),
      host_(host),
      account_(resources.http2.memory),
      budget_(resources.limits),
      listener_index_(listener_index),
      listener_kind_(listener_kind) {
  resources_.counters.session_bytes.add(Http2MemoryAccount::kResidentBytes);
  codec_.reset(Codec::make_session(*this));
}

Http2Session::~Http2Session() {
  while (!streams_.empty()) release(*streams_.back());
  resources_.counters.session_bytes.subtract(Http2MemoryAccount::kResidentBytes);
}

std::size_t Http2Session::consume(std::string_view bytes, std::string& output) {
  output_ = &output;
  std::size_t used = 0;
  while (used < bytes.size() && !ending_ && output.size() < kOutputBytesPerWrite) {
    if (answer_bytes_ > kWaitingBytesToPause) pull(output);
    if (output.size() >= kOutputBytesPerWrite) break;
    const ssize_t count = nghttp2_session_mem_recv(
        codec_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()) + used,
        bytes.size() - used);
    if (count < 0) {
      fail(static_cast<int>(count));
    } else {
      used += static_cast<std::size_t>(count);
    }
    keep_body_in_place();
    pull(output);
  }
  output_ = nullptr;
  return ending_ ? bytes.size() : used;
}

void Http2Session::produce(std::string& output) {
  output_ = &output;
  pull(output);
  output_ = nullptr;
}

bool Http2Session::over() const {
  return nghttp2_session_want_read(codec_.get()) == 0 &&
         nghttp2_session_want_write(codec_.get()) == 0;
}

SessionPhase Http2Session::phase() const {
  if (over()) {
    if (flooded_) return SessionPhase::kCut;
    return ending_ ? SessionPhase::kFailed : SessionPhase::kDone;
  }
  if (header_stream_ != 0 || !preface_received_) return SessionPhase::kHeader;
  if (incomplete_ > 0) return SessionPhase::kBody;
  if (deferrals_ > 0) return SessionPhase::kAnswering;
  return event_streams_ > 0 ? SessionPhase::kStreaming : SessionPhase::kIdle;
}

// The oldest request that is not complete: the time limit is its, however many begin behind it.
std::uint32_t Http2Session::requests_begun() const {
  std::uint32_t oldest = requests_begun_;
  if (incomplete_ == 0) return oldest;
  for (const auto& stream : streams_) {
    if (!stream->request_complete && stream->ordinal < oldest) oldest = stream->ordinal;
  }
  return oldest;
}

// What comes of one stream mostly comes in a row.
Http2Stream* Http2Session::stream_of(std::int32_t id) {
  if (recent_ != nullptr && recent_->id == id) return recent_;
  auto* stream = static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(codec_.get(), id));
  if (stream != nullptr) recent_ = stream;
  return stream;
}

Http2Stream& Http2Session::open_stream(std::int32_t id) {
  streams_.push_back(resources_.http2.take_stream());
  Http2Stream& stream = *streams_.back();
  stream.session = this;
  stream.place = streams_.size() - 1;
  stream.id = id;
  stream.ordinal = ++requests_begun_;
  stream.known = resources_.http2.known_headers.first();
  if (stream.known != nullptr) {
    ++stream.known->users;
  } else {
    stream.store = resources_.take_store();
  }
  ++incomplete_;
  recent_ = &stream;
  nghttp2_session_set_stream_user_data(codec_.get(), id, &stream);
  return stream;
}

int Http2Session::stream_closed(std::int32_t id) {
  if (id == header_stream_) header_stream_ = 0;
  if (Http2Stream* stream = stream_of(id); stream != nullptr) release(*stream);
  return 0;
}

// Its api learns of it last, when nothing here refers to the stream any more.
void Http2Session::release(Http2Stream& stream) {
  drop_request(stream);
  if (recent_ == &stream) recent_ = nullptr;
  if (!stream.request_complete) --incomplete_;
  answer_bytes_ -= stream.counted_own;
  waiting_bytes_ -= stream.counted_waiting;
  SessionEventStream* events = std::exchange(stream.events, nullptr);
  if (events != nullptr) event_stream_over(stream);
  SessionDeferral* deferral = stream.deferral != nullptr ? deferral_over(stream) : nullptr;
  const std::size_t place = stream.place;
  std::unique_ptr<Http2Stream> gone = std::move(streams_[place]);
  if (place + 1 != streams_.size()) {
    streams_[place] = std::move(streams_.back());
    streams_[place]->place = place;
  }
  streams_.pop_back();
  resources_.http2.give_back(std::move(gone));
  if (events != nullptr) events->lost();
  if (deferral != nullptr) deferral->lost();
}

void Http2Session::event_stream_over(Http2Stream& /*stream*/) {
  --event_streams_;
  resources_.counters.event_streams.subtract();
}

void Http2Session::calm_down() {
  if (ending_) return;
  ending_ = flooded_ = true;
  resources_.counters.floods.add();
  nghttp2_session_terminate_session(codec_.get(), NGHTTP2_ENHANCE_YOUR_CALM);
}

// What nghttp2 does not survive: a wrong preface, and its own limits on floods.
void Http2Session::fail(int error) {
  if (ending_) return;
  ending_ = true;
  std::uint32_t code = NGHTTP2_INTERNAL_ERROR;
  if (error == NGHTTP2_ERR_BAD_CLIENT_MAGIC) {
    code = NGHTTP2_PROTOCOL_ERROR;
    resources_.counters.refusals.add();
  } else if (error != NGHTTP2_ERR_NOMEM) {
    code = NGHTTP2_ENHANCE_YOUR_CALM;
    flooded_ = true;
    resources_.counters.floods.add();
  }
  nghttp2_session_terminate_session(codec_.get(), code);
}

// Those that are under way are finished, and those that the peer began before it could hear of it:
// the GOAWAY that names the last stream follows when this is called again.
void Http2Session::finish_soon() {
  if (ending_ || final_given_) return;
  host_.produce_later();
  if (!notice_given_) {
    notice_given_ = true;
    nghttp2_submit_shutdown_notice(codec_.get());
    return;
  }
  final_given_ = true;
  nghttp2_submit_goaway(codec_.get(), NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(codec_.get()), NGHTTP2_NO_ERROR,
                        nullptr, 0);
}

bool Http2Session::say_farewell() {
  if (ending_ || final_given_) return false;
  finish_soon();
  return true;
}

void Http2Session::end_event_streams() {
  // An api that learns of one may close others.
  for (std::size_t i = streams_.size(); i-- > 0;) {
    if (i >= streams_.size() || streams_[i]->events == nullptr) continue;
    Http2Stream& stream = *streams_[i];
    SessionEventStream* events = stream.events;
    if (events->is_finite()) continue;
    stream.stream_closed_by_api({});
    events->lost();
  }
}

void Http2Session::output_drained() {
  for (std::size_t i = streams_.size(); i-- > 0;) {
    if (i >= streams_.size()) continue;
    SessionEventStream* events = streams_[i]->events;
    if (events != nullptr && streams_[i]->output.waiting() == 0) events->drained();
  }
}

}  // namespace flagstone::net
