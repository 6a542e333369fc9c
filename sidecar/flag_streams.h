// The streams of one api that tell about flags: who listens to which selection, and what each of
// them has been told.
//
// Owned by the api, on its serving loop. Whoever listens to the same selection of the same
// environment is one audience; there is one current version of what it is to know, and each
// subscriber remembers the version he was told last and nothing else. A publication costs one look
// per audience and one handing over of a shared message per subscriber. A reader too slow for it
// has nothing queued: once he has caught up he gets what leads from what he knows to what is.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "net/loop.h"
#include "net/rpc/call.h"
#include "net/timer.h"
#include "sidecar/selector.h"
#include "sidecar/serving_desk.h"

namespace flagstone::sidecar {

class FlagStreams {
 public:
  // Streams of one api on one serving thread.
  static constexpr std::size_t kStreamsMax = 4096;
  // Selections among them, those of everything aside: each costs a walk over all flags at every
  // change.
  static constexpr std::size_t kSelectorsMax = 32;

  // Version 0: not even that there are flags.
  using Version = std::uint64_t;
  using Message = std::shared_ptr<const net::RpcSharedMessage>;

  // Idle time after which keep_alive() is sent.
  static constexpr std::int64_t kKeepAliveMs = 20'000;

  FlagStreams(net::Loop& loop, ServingDesk& desk, std::int64_t keep_alive_ms = kKeepAliveMs);
  virtual ~FlagStreams();
  FlagStreams(const FlagStreams&) = delete;
  FlagStreams& operator=(const FlagStreams&) = delete;

  bool has_room(std::size_t environment, const Selector& selector) const;
  // REQUIRES: has_room().
  void add(std::size_t environment, const Selector& selector,
           std::unique_ptr<net::RpcStream> stream);
  // The desk's state is another one.
  void on_published();
  // Says goodbye to all.
  void close_all();

  std::size_t size() const { return subscribers_.size(); }

 protected:
  struct Audience {
    virtual ~Audience() = default;
    std::size_t environment = 0;
    std::string selector_value;
    Selector selector;  // Its value is the one above.
    Version version = 0;
    // How many subscribers were told which version.
    std::map<Version, std::size_t> told;
  };
  // What is to be said to somebody: nothing, a message, or that it is over.
  struct News {
    Message message;
    net::RpcCode end = net::RpcCode::kOk;
    std::string_view why = {};
  };

  virtual std::unique_ptr<Audience> make_audience() = 0;
  // Moves the version on when there is something new to know.
  virtual void refresh(Audience& audience, const cache::EnvironmentState& environment) = 0;
  // From a version that is not the current one.
  virtual News news_since(Audience& audience, Version told, net::RpcCodec codec) = 0;
  // After somebody was told something, or has gone: what nobody needs any more may go.
  virtual void settle() {}
  // Sent when nothing was for a while; nullptr: never.
  virtual Message keep_alive(net::RpcCodec) { return nullptr; }
  // Said before the end; empty: nothing.
  virtual std::string_view farewell(net::RpcCodec) { return {}; }

  // nullptr when nobody listens to it.
  Audience* find_audience(std::size_t environment, const Selector& selector) const;
  template <typename Visit>
  void for_each_audience(Visit&& visit) {
    for (auto& [name, audience] : audiences_) visit(*audience);
  }
  ServingDesk& desk() const { return desk_; }

 private:
  struct Subscriber {
    Audience& audience;
    std::unique_ptr<net::RpcStream> stream;
    std::int64_t opened_ms = 0;
    std::int64_t told_ms = 0;
    Version told = 0;
    bool behind = false;  // Too slow for the last message: waits for its stream to drain.
  };
  using Place = std::list<Subscriber>::iterator;
  using AudienceName = std::pair<std::size_t, std::string>;

  static AudienceName name_of(std::size_t environment, const Selector& selector);
  Audience& audience_of(std::size_t environment, const Selector& selector);
  // What follows `place`, whether that one is still there or not.
  Place tell(Place place);
  void mark_told(Subscriber& subscriber, Version version);
  Place remove(Place place);
  void keep_alive();
  void end_overdue();

  net::Loop& loop_;
  ServingDesk& desk_;
  const std::int64_t keep_alive_ms_;
  net::Timer keep_alive_timer_;
  net::Timer deadline_timer_;
  std::map<AudienceName, std::unique_ptr<Audience>> audiences_;
  std::size_t selectors_ = 0;
  std::list<Subscriber> subscribers_;  // The longest open first.
};

}  // namespace flagstone::sidecar
