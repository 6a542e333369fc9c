// HTTP/2 by nghttp2, with prior knowledge or by ALPN: many requests at once, each answered when it
// is complete.
//
// Owned by the connection, the loop's thread only. Bytes in, bytes out. What a peer can make us
// hold is bounded: requests by HttpLimits, answers that its windows do not let go by
// kWaitingBytesMax, and what costs it nothing to send (resets, PING, SETTINGS, …) by budgets,
// beyond which the connection ends with ENHANCE_YOUR_CALM.
//
// The parts: http2_session.cc the session's life, http2_receive.cc requests, http2_answer.cc
// answers, http2_say.cc their way out, http2_budget.h the floods.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/http2_budget.h"
#include "net/http2_stream.h"
#include "net/request.h"
#include "net/session.h"
#include "net/session_resources.h"

namespace flagstone::net {

class Http2Session final : public Session {
 public:
  // Answers that wait for the peer's windows, the largest apart: beyond it, further streams are
  // refused with REFUSED_STREAM, which tells the peer to try again.
  static constexpr std::size_t kWaitingBytesMax = 1024 * 1024;
  // While so much waits, what can be said is said before the next request is read.
  static constexpr std::size_t kWaitingBytesToPause = 256 * 1024;

  Http2Session(SessionResources& resources, SessionHost& host, unsigned listener_index,
               ListenerKind listener_kind);
  ~Http2Session() override;

  std::size_t consume(std::string_view bytes, std::string& output) override;
  void produce(std::string& output) override;
  SessionPhase phase() const override;
  bool takes_bytes() const override { return !ending_; }
  bool owes_answer() const override { return deferrals_ > 0; }
  std::uint32_t requests_begun() const override;
  std::size_t held_bytes() const override {
    return held_body_bytes_ + deferred_bytes_ + answer_bytes_;
  }
  std::size_t waiting_bytes() const override { return waiting_bytes_; }
  std::uint64_t said_bytes() const override { return said_bytes_; }
  void output_drained() override;
  void finish_soon() override;
  bool say_farewell() override;
  void end_event_streams() override;

  // What nghttp2 has allocated for this session.
  std::size_t library_bytes() const { return account_.bytes(); }

 private:
  friend struct Http2Stream;
  class Answer;
  struct Codec;  // nghttp2's callbacks
  struct Delete {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };

  // Receiving (http2_receive.cc). These return 0 or an nghttp2 error.
  bool answers_wait_beyond_measure() const;
  int frame_begun(const nghttp2_frame_hd& head);
  int header_begun(const nghttp2_frame& frame);
  int add_field(const nghttp2_frame& frame, std::string_view name, std::string_view value);
  bool is_known_field(Http2Stream& stream, std::string_view name, std::string_view value);
  void keep_field(Http2Stream& stream, std::string_view name, std::string_view value);
  void keep_known_fields(Http2Stream& stream);
  void forget_known(Http2Stream& stream);
  RequestStore& store_of(Http2Stream& stream);
  int add_body(std::int32_t id, std::string_view piece);
  int frame_received(const nghttp2_frame& frame);
  void header_received(Http2Stream& stream);
  static void check_header(Http2Stream& stream);
  void keep_body_in_place();
  void drop_request(Http2Stream& stream);
  Request make_request(const Http2Stream& stream) const;

  // Answering (http2_answer.cc).
  void answer_request(Http2Stream& stream);
  void refuse(Http2Stream& stream, int status, const char* reason);
  void say_answer(Http2Stream& stream, bool is_head, std::string& body, int status,
                  std::string_view content_type, std::span<const HeaderField> headers,
                  std::span<const HeaderField> trailers);
  std::unique_ptr<EventStream> begin_events(Http2Stream& stream, bool is_head, std::string& body,
                                            int status, std::string_view content_type,
                                            std::span<const HeaderField> headers);
  std::unique_ptr<SessionDeferral> defer(Http2Stream& stream, const Request& request);
  SessionDeferral* deferral_over(Http2Stream& stream);
  void submit_head(Http2Stream& stream, int status, std::string_view content_type,
                   std::span<const HeaderField> headers, const std::size_t* content_length,
                   bool with_body);

  // Saying (http2_say.cc).
  void pull(std::string& output);
  ssize_t next_data(Http2Stream& stream, std::size_t room, std::uint32_t& flags);
  int say_data(Http2Stream& stream, const std::uint8_t* head, std::size_t count);
  void submit_trailers(Http2Stream& stream);
  int frame_said(const nghttp2_frame& frame);
  void more_to_say(Http2Stream& stream);
  void say_later();
  void count_waiting(Http2Stream& stream);

  // The session's life (http2_session.cc).
  Http2Stream* stream_of(std::int32_t id);
  Http2Stream& open_stream(std::int32_t id);
  int stream_closed(std::int32_t id);
  void release(Http2Stream& stream);
  void event_stream_over(Http2Stream& stream);
  void calm_down();
  void fail(int error);
  bool over() const;

  SessionResources& resources_;
  SessionHost& host_;
  Http2MemoryAccount account_;
  std::unique_ptr<nghttp2_session, Delete> codec_;
  std::vector<std::unique_ptr<Http2Stream>> streams_;
  std::string* output_ = nullptr;    // during consume() and produce()
  Http2Stream* in_place_ = nullptr;  // whose body lies in the bytes being consumed
  Http2Stream* recent_ = nullptr;    // the last that was asked for
  Http2Budget budget_;
  std::size_t held_body_bytes_ = 0;    // of requests that are not complete or whose answer waits
  std::size_t deferred_bytes_ = 0;     // what else is held for those that wait
  std::size_t answer_bytes_ = 0;       // of answers, not said yet, held for this connection alone
  std::size_t waiting_bytes_ = 0;      // likewise, with what many streams share
  std::size_t header_wire_bytes_ = 0;  // of the header being received
  std::uint64_t said_bytes_ = 0;
  std::uint32_t requests_begun_ = 0;
  std::uint32_t incomplete_ = 0;  // requests
  std::uint32_t event_streams_ = 0;
  std::uint32_t deferrals_ = 0;
  std::int32_t header_stream_ = 0;  // of the header being received, else 0
  unsigned listener_index_;
  ListenerKind listener_kind_;
  bool preface_received_ = false;  // with its SETTINGS
  bool notice_given_ = false;      // that we are about to finish
  bool final_given_ = false;       // no stream is taken any more
  bool ending_ = false;            // with an error: nothing is read any more
  bool flooded_ = false;
};

}  // namespace flagstone::net
