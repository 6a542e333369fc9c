// HTTP/1.0 and HTTP/1.1 by llhttp, strict: pipelined requests are answered in order, one at a time.
//
// Owned by the connection, the loop's thread only. What is malformed or ambiguous is refused and
// ends the connection; nothing behind it is read as a further request. No lenient flag of llhttp is
// set.
#pragma once

#include <llhttp.h>

#include <memory>
#include <string>
#include <string_view>

#include "net/request.h"
#include "net/session.h"
#include "net/session_deferral.h"
#include "net/session_event_stream.h"
#include "net/session_resources.h"

namespace flagstone::net {

struct Http1Head;
struct Http1KnownHeader;

class Http1Session final : public Session, private DeferralCarrier {
 public:
  Http1Session(SessionResources& resources, SessionHost& host, unsigned listener_index,
               ListenerKind listener_kind);
  ~Http1Session() override;

  std::size_t consume(std::string_view bytes, std::string& output) override;
  // What an event stream shares with others; all else was put into consume()'s output or given to
  // send_later().
  void produce(std::string& output) override;
  SessionPhase phase() const override { return phase_; }
  bool takes_bytes() const override { return phase_ < SessionPhase::kAnswering; }
  bool owes_answer() const override { return phase_ == SessionPhase::kAnswering; }
  std::uint32_t requests_begun() const override { return requests_begun_; }
  std::size_t held_bytes() const override {
    if (deferral_ != nullptr) return deferral_->held_bytes();
    return store_ ? store_->bytes() : 0;
  }
  void output_drained() override;
  void finish_soon() override { finish_soon_ = true; }
  void end_event_streams() override;

 private:
  static constexpr const char* kVersionRefused = "this version of HTTP is not spoken here";

  class Answer;
  struct Parser;  // llhttp's callbacks

  // Parsing, in the order of a request's life. These return 0, or -1 to stop the parser.
  int begin_request();
  int add_target(std::string_view piece);
  int check_protocol(std::string_view piece);
  int add_field_name(std::string_view piece);
  int end_field_name();
  int add_field_value(std::string_view piece);
  int end_header();
  int add_body(std::string_view piece);
  int refuse_later(int status, const char* reason);

  int check_header();
  int check_fields();
  void make_views();
  std::size_t answer_known(std::string_view bytes);
  std::size_t parse(std::string_view bytes);
  void remember_header(std::string_view bytes);
  bool connections_hold_too_much() const;
  void keep_partial_body();
  void fail(llhttp_errno_t error);
  void learn_path_of_half_a_header();
  static Method method_of(const llhttp_t& parser);

  void answer_request();
  void answer(const Request& request, const Http1KnownHeader* known);
  void after_answer();
  void say_answer(std::string& body, int status, std::string_view content_type,
                  std::span<const HeaderField> headers);
  std::unique_ptr<EventStream> begin_stream(std::string& body, int status,
                                            std::string_view content_type,
                                            std::span<const HeaderField> headers);
  void say_head(Http1Head& head);
  void put(std::string_view piece);
  Request make_request() const;
  void add_connection(Request& request) const;

  // Deferred answers.
  void send_deferred(std::string& body, int status, std::string_view content_type,
                     std::span<const HeaderField> headers,
                     std::span<const HeaderField> trailers) override;
  std::unique_ptr<EventStream> stream_deferred(std::string& body, int status,
                                               std::string_view content_type,
                                               std::span<const HeaderField> headers) override;
  void deferral_handed_on(SessionDeferral& to) override { deferral_ = &to; }
  void deferral_dropped() override;
  void deferral_over();

  // Event stream.
  bool stream_send(std::string_view bytes) override;
  bool stream_send_shared(std::shared_ptr<const std::string> bytes) override;
  void stream_closed_by_api(std::span<const HeaderField> trailers) override;
  void stream_aborted_by_api() override;
  void detach_stream();
  void finish_stream();
  bool streams() const { return stream_ != nullptr || shared_ != nullptr; }
  void emit(std::string_view bytes);

  SessionResources& resources_;
  SessionHost& host_;
  std::unique_ptr<RequestStore> store_;        // while a request is read
  std::string* output_ = nullptr;              // during consume() and produce()
  SessionEventStream* stream_ = nullptr;       // owned by the api
  SessionDeferral* deferral_ = nullptr;        // owned by the api
  std::shared_ptr<const std::string> shared_;  // of the stream, said in pieces
  std::size_t shared_said_ = 0;
  std::string_view body_in_place_;  // of a body that came in one piece: where it was read
  std::string_view path_, query_, host_text_;
  std::size_t body_bytes_ = 0;
  const char* refusal_reason_ = nullptr;
  llhttp_t parser_;
  std::uint32_t requests_begun_ = 0;
  std::uint32_t target_bytes_ = 0;
  std::uint32_t header_bytes_ = 0;
  int refusal_status_ = 0;
  std::uint8_t protocol_bytes_ = 0;
  bool parser_fresh_ = true;  // it has read nothing behind the last request
  bool memorable_ = false;    // of the header, nothing but its bytes decides what it means
  unsigned listener_index_;
  ListenerKind listener_kind_;
  SessionPhase phase_ = SessionPhase::kIdle;
  Method method_ = Method::kOther;
  bool in_field_name_ = false;
  bool keep_alive_ = false;
  bool is_http10_ = false;
  bool finish_soon_ = false;
  bool dropped_ = false;  // its api has ended the request without an answer, or without all of it
};

}  // namespace flagstone::net
