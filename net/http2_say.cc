// How what Http2Session has to say gets out: pulled by the connection as fast as its peer takes it.
#include <algorithm>
#include <cassert>

#include "net/http2_codec.h"
#include "net/http2_session.h"

namespace flagstone::net {

void Http2Session::pull(std::string& output) {
  const std::size_t before = output.size();
  while (output.size() < kOutputBytesPerWrite) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t count = nghttp2_session_mem_send(codec_.get(), &bytes);
    if (count < 0) fail(static_cast<int>(count));
    if (count <= 0) break;
    output.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
  }
  said_bytes_ += output.size() - before;
}

// How much of the stream's output the next DATA frame carries. It is not copied yet.
ssize_t Http2Session::next_data(Http2Stream& stream, std::size_t room, std::uint32_t& flags) {
  const std::size_t waiting = stream.output.waiting();
  if (waiting == 0 && !stream.output.ends) {
    stream.deferred = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  const std::size_t count = std::min(waiting, room);
  flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (count == waiting && stream.output.ends) {
    flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!stream.output.trailers.empty()) {
      flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      submit_trailers(stream);
    }
  }
  return static_cast<ssize_t>(count);
}

// The one copy: from the stream into what the connection writes.
int Http2Session::say_data(Http2Stream& stream, const std::uint8_t* head, std::size_t count) {
  constexpr std::size_t kFrameHeadBytes = 9;
  assert(output_ != nullptr);
  // nghttp2 goes on to the next DATA frame by itself; after this it asks for the same one again.
  if (output_->size() >= kOutputBytesPerWrite) return NGHTTP2_ERR_WOULDBLOCK;
  output_->append(reinterpret_cast<const char*>(head), kFrameHeadBytes);
  stream.output.move_to(*output_, count);
  count_waiting(stream);
  // An api that was refused is told once all of its own has gone.
  if (stream.output.waiting() == 0 && stream.events != nullptr && stream.events->refused()) {
    host_.resume_later();
  }
  return 0;
}

// Their text is the stream's own, so nghttp2 need not copy it.
void Http2Session::submit_trailers(Http2Stream& stream) {
  char* text = stream.output.trailer_text.data();
  const auto bytes = [text](std::uint32_t at) {
    return reinterpret_cast<std::uint8_t*>(text + at);
  };
  std::vector<nghttp2_nv>& fields = resources_.http2.fields;
  fields.clear();
  for (const RequestStore::Field& field : stream.output.trailers) {
    fields.push_back({bytes(field.name_begin), bytes(field.name_end),
                      field.name_end - field.name_begin, field.value_end - field.name_end,
                      NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE});
  }
  nghttp2_submit_trailer(codec_.get(), stream.id, fields.data(), fields.size());
}

int Http2Session::frame_said(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_HEADERS || frame.hd.type == NGHTTP2_DATA) {
    budget_.earn();
    if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    // A refusal that did not wait for the request's end: the rest need not be sent.
    const Http2Stream* stream = stream_of(frame.hd.stream_id);
    if (stream == nullptr || stream->request_complete) return 0;
    return nghttp2_submit_rst_stream(codec_.get(), NGHTTP2_FLAG_NONE, frame.hd.stream_id,
                                     NGHTTP2_NO_ERROR);
  }
  if (frame.hd.type == NGHTTP2_RST_STREAM) {
    if (!budget_.take_reset(resources_.now_ms)) calm_down();
  } else if (frame.hd.type == NGHTTP2_GOAWAY && frame.goaway.error_code != NGHTTP2_NO_ERROR) {
    if (!ending_) resources_.counters.refusals.add();
    ending_ = true;
  }
  return 0;
}

void Http2Session::more_to_say(Http2Stream& stream) {
  count_waiting(stream);
  if (!stream.deferred) return;
  stream.deferred = false;
  nghttp2_session_resume_data(codec_.get(), stream.id);
  say_later();
}

// Inside consume() and produce() it is said at their end.
void Http2Session::say_later() {
  if (output_ == nullptr) host_.produce_later();
}

void Http2Session::count_waiting(Http2Stream& stream) {
  const std::size_t own = stream.output.own_waiting();
  const std::size_t waiting = stream.output.waiting();
  answer_bytes_ += own - stream.counted_own;
  waiting_bytes_ += waiting - stream.counted_waiting;
  stream.counted_own = own;
  stream.counted_waiting = waiting;
}

}  // namespace flagstone::net
