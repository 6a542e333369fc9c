// The api's end of a deferred answer, whatever the protocol: detached from either side without harm
// to the other. It holds the request's text, so that the session can forget the request.
//
// Owned by the api. Inside net/ only.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/deferred_response.h"
#include "net/request_store.h"
#include "net/session_event_stream.h"

namespace flagstone::net {

class SessionDeferral;

// The session's end: an HTTP/1 session, or one stream of an HTTP/2 session. With each call but the
// second to last it lets go of the SessionDeferral.
class DeferralCarrier : public EventStreamCarrier {
 public:
  virtual void send_deferred(std::string& body, int status, std::string_view content_type,
                             std::span<const HeaderField> headers,
                             std::span<const HeaderField> trailers) = 0;
  virtual std::unique_ptr<EventStream> stream_deferred(std::string& body, int status,
                                                       std::string_view content_type,
                                                       std::span<const HeaderField> headers) = 0;
  virtual void deferral_handed_on(SessionDeferral& to) = 0;
  virtual void deferral_dropped() = 0;  // unanswered

 protected:
  ~DeferralCarrier() = default;
};

class SessionDeferral final : public DeferredResponse, private Response {
 public:
  // The request views the store (and what lives for ever), its body included. A null carrier: gone
  // from the start.
  SessionDeferral(DeferralCarrier* carrier, const Request& request,
                  std::unique_ptr<RequestStore> store);
  ~SessionDeferral() override;

  const Request& request() const override { return request_; }
  Response& response() override { return *this; }
  bool alive() const override { return carrier_ != nullptr; }
  void set_on_gone(std::move_only_function<void()> on_gone) override {
    on_gone_ = std::move(on_gone);
  }

  // From the session. The callback may destroy this object.
  void lost();
  std::size_t held_bytes() const;

 private:
  std::string& body() override { return body_; }
  void send(int status, std::string_view content_type, std::span<const HeaderField> headers,
            std::span<const HeaderField> trailers) override;
  std::unique_ptr<EventStream> open_stream(int status, std::string_view content_type,
                                           std::span<const HeaderField> headers) override;
  std::unique_ptr<DeferredResponse> defer() override;

  DeferralCarrier* carrier_;
  Request request_;
  std::unique_ptr<RequestStore> store_;
  std::string body_;
  std::move_only_function<void()> on_gone_;
};

// Moves the request, whose body may lie elsewhere, into one that waits. The store's views stay
// good.
std::unique_ptr<SessionDeferral> make_deferral(DeferralCarrier& carrier, const Request& request,
                                               std::unique_ptr<RequestStore> store);

}  // namespace flagstone::net
