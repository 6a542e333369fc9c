// Where LaunchDarkly's server-side SDKs post their events: POST /bulk and POST /diagnostic.
//
// One per serving thread, on its loop. Answers 202 once the events are in the spool (without a
// state directory: once they are in memory), and 503 where they are not, so that the SDK tries
// again. What upstream says of them is never passed on: an SDK that hears 401 or 404 posts nothing
// any more.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>

#include "net/deferred_response.h"
#include "net/lifeline.h"
#include "net/loop.h"
#include "net/router.h"
#include "net/timer.h"
#include "sidecar/api/api.h"
#include "sidecar/serving_desk.h"

namespace flagstone::sidecar {

class LaunchDarklyEvents final : public ServingApi {
 public:
  // A disk that hangs is not waited for longer than an SDK would; what it takes later is known by
  // its payload id when it is posted again.
  static constexpr std::int64_t kWaitMsMax = 5000;
  // What is refused for its size an SDK throws away for good: as much as it may keep is taken.
  static constexpr std::string_view kBulkPath = "/bulk";
  static constexpr std::size_t kBulkBytesMax = std::size_t{10} * 1024 * 1024;

  LaunchDarklyEvents(net::Loop& loop, ServingDesk& desk);

  void add_routes(net::Router& router) override;

  void bulk(const net::Request& request, std::string_view, net::Response& response);
  void diagnostic(const net::Request& request, std::string_view, net::Response& response);

 private:
  struct Waiting {
    std::unique_ptr<net::DeferredResponse> later;
    std::int64_t since_ms = 0;
  };

  void take(upstream::PostedEvents::Kind kind, const net::Request& request,
            net::Response& response);
  void answer(std::uint64_t number, EventInlet::Result result);
  void forget(std::uint64_t number);
  void look_at_the_clock();

  net::Loop& loop_;
  ServingDesk& desk_;
  net::Timer timer_;
  // By a number that is given once, since answers and connections end in any order.
  std::map<std::uint64_t, Waiting> waiting_;
  std::uint64_t next_number_ = 1;
  net::Lifeline<LaunchDarklyEvents> lifeline_{*this};
};

}  // namespace flagstone::sidecar
