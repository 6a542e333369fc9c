#include "net/session_deferral.h"

#include <utility>

namespace flagstone::net {

SessionDeferral::SessionDeferral(DeferralCarrier* carrier, const Request& request,
                                 std::unique_ptr<RequestStore> store)
    : carrier_(carrier), request_(request), store_(std::move(store)) {}

SessionDeferral::~SessionDeferral() {
  if (carrier_ != nullptr) carrier_->deferral_dropped();
}

void SessionDeferral::send(int status, std::string_view content_type,
                           std::span<const HeaderField> headers,
                           std::span<const HeaderField> trailers) {
  if (carrier_ == nullptr) return;
  std::exchange(carrier_, nullptr)->send_deferred(body_, status, content_type, headers, trailers);
}

std::unique_ptr<EventStream> SessionDeferral::open_stream(int status, std::string_view content_type,
                                                          std::span<const HeaderField> headers) {
  if (carrier_ == nullptr) return std::make_unique<SessionEventStream>(nullptr);
  return std::exchange(carrier_, nullptr)->stream_deferred(body_, status, content_type, headers);
}

std::unique_ptr<DeferredResponse> SessionDeferral::defer() {
  DeferralCarrier* carrier = std::exchange(carrier_, nullptr);
  auto next = std::make_unique<SessionDeferral>(carrier, request_, std::move(store_));
  body_.clear();
  next->body_.swap(body_);
  if (carrier != nullptr) carrier->deferral_handed_on(*next);
  return next;
}

// The callback may destroy this object, so it is run from the stack.
void SessionDeferral::lost() {
  carrier_ = nullptr;
  std::move_only_function<void()> on_gone = std::move(on_gone_);
  if (on_gone) on_gone();
}

std::size_t SessionDeferral::held_bytes() const {
  return body_.capacity() + (store_ != nullptr ? store_->bytes() : 0);
}

std::unique_ptr<SessionDeferral> make_deferral(DeferralCarrier& carrier, const Request& request,
                                               std::unique_ptr<RequestStore> store) {
  if (request.body.data() != store->body.data()) store->body.assign(request.body);
  store->body.reserve(store->body.size() + Request::kBodyPaddingBytes);
  Request kept = request;
  kept.body = store->body;
  return std::make_unique<SessionDeferral>(&carrier, kept, std::move(store));
}

}  // namespace flagstone::net
