// OFREP's change events: server-sent events that tell a provider to evaluate again.
//
// One per serving thread, on its loop; owned by Ofrep. A slow reader never has more than one event
// waiting: what it misses meanwhile is one event with the latest state once it reads again. Source:
// open-feature/protocol ADR on change events; flagd pull requests 2012, 2036, 2046.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "net/event_stream.h"
#include "net/response.h"
#include "net/timer.h"
#include "sidecar/serving_desk.h"

namespace flagstone::sidecar {

class OfrepEvents {
 public:
  static constexpr std::int64_t kKeepAliveMs = 30'000;
  // Streams of one serving thread; further ones are refused with 503.
  static constexpr std::size_t kStreamsMax = 4096;
  // Different selectors among them: each costs a walk over all flags at every change.
  static constexpr std::size_t kSelectorsMax = 32;

  OfrepEvents(net::Loop& loop, ServingDesk& desk);
  ~OfrepEvents();

  // False, and nothing is sent, when there are too many.
  bool open(std::size_t environment, std::string_view selector, net::Response& response);
  // Tells every stream whose flags differ from what it last knew.
  void on_published();
  void close_all();

  // Identifies what the selected flags are, independent of any context: what events call `etag` and
  // bulk requests send back as `flagConfigEtag`.
  static std::string config_etag(const cache::EnvironmentState& environment,
                                 std::string_view selector);

 private:
  struct Subscriber {
    std::size_t environment = 0;
    std::string selector;
    std::string known_etag;
    bool behind = false;
    std::unique_ptr<net::EventStream> stream;
  };
  using Place = std::list<Subscriber>::iterator;

  void tell(Subscriber& subscriber, std::string etag);
  bool room_for(std::string_view selector) const;
  void keep_alive();

  ServingDesk& desk_;
  net::Timer keep_alive_timer_;
  std::list<Subscriber> subscribers_;
};

}  // namespace flagstone::sidecar
