// The streams of LaunchDarkly's server-side SDKs: every subscriber has the newest state of his
// environment, or is about to.
//
// One per serving thread, on its loop. Each subscriber remembers the state he was told last and
// nothing else. Who knows none, or one that the log has forgotten, is sent everything, from one
// shared body; the others what changed since, in one shared message for all who were told the same.
// A reader too slow for it has nothing queued: once he has caught up he gets what leads from what
// he knows to what is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "net/event_stream.h"
#include "net/lifeline.h"
#include "net/loop.h"
#include "net/timer.h"
#include "sidecar/api/launchdarkly_sdk_bodies.h"
#include "sidecar/api/launchdarkly_sdk_deltas.h"
#include "sidecar/api/launchdarkly_sdk_mirror.h"
#include "sidecar/serving_desk.h"
#include "sidecar/sliced_answers.h"

namespace flagstone::sidecar {

class SdkStreams {
 public:
  // Of one serving thread.
  static constexpr std::size_t kStreamsMax = 4096;
  // Bodies of one form that are not the newest and alive because slow readers are still being sent
  // them; beyond it the slowest are disconnected, and come again.
  static constexpr std::size_t kOldBodiesMax = 2;
  // After a text could not be read, or there was no room.
  static constexpr std::int64_t kRetryMs = 1000;
  // How long messages are kept for those who lag; they are made again for who lags more.
  static constexpr std::int64_t kMessagesMs = 1000;

  SdkStreams(net::Loop& loop, ServingDesk& desk, SdkMirror& mirror, SlicedAnswers& slices);
  ~SdkStreams();
  SdkStreams(const SdkStreams&) = delete;
  SdkStreams& operator=(const SdkStreams&) = delete;

  bool has_room() const { return subscribers_.size() < kStreamsMax; }
  // `basis`: the state he says that he has. REQUIRES: has_room(); the mirror has caught up.
  void add(std::size_t environment, SdkAudience audience, std::optional<std::uint64_t> basis,
           std::unique_ptr<net::EventStream> stream);
  // The mirror has caught up with another state.
  void on_published();
  void give_up_prepared();
  // Says goodbye to all.
  void close_all();

 private:
  struct Subscriber {
    std::size_t environment = 0;
    SdkAudience audience{};
    std::unique_ptr<net::EventStream> stream;  // nullptr: the slices have it.
    std::uint64_t told = 0;                    // Generation; 0: nothing.
    // The body he was sent last; empty once he took something after it.
    std::weak_ptr<const std::string> body;
    bool behind = false;  // Too slow for the last message: waits for its stream to drain.
    bool ended = false;   // Its stream is closed; goes with settle().
    // What sends him everything by himself; 0: nothing does.
    std::uint64_t slices = 0;
  };
  using Place = std::list<Subscriber>::iterator;
  using Message = std::shared_ptr<const std::string>;
  // What leads from the state of that generation to the newest, for that audience.
  using MessageName = std::tuple<std::size_t, SdkAudience, std::uint64_t>;

  // What follows `place`, whether that one is still there or not.
  Place tell(Place place);
  // False: only everything will do. True: he has the changes, or gets them later.
  bool tell_changes(Subscriber& subscriber);
  void bring_texts(const MessageName& name);
  void tell_everything(Place place);
  void send_in_slices(Place place);
  void take_back(Place place, std::unique_ptr<net::EventStream> stream, std::uint64_t generation);
  bool send(Subscriber& subscriber, const Message& message);
  void listen_to(Place place);
  void tell_all(std::size_t environment);
  void make_room_for_body(std::size_t environment, SdkAudience audience);
  bool end_readers_of(const SdkBodies::Bytes& body);
  Place remove(Place place);
  void keep_alive();
  void retry_later();
  void settle();

  ServingDesk& desk_;
  SdkMirror& mirror_;
  SlicedAnswers& slices_;
  SdkBodies bodies_;
  std::list<Subscriber> subscribers_;
  // Of this publication; nullptr: everything has to be told.
  std::map<MessageName, Message> messages_;
  net::Timer messages_timer_;
  // Whose texts are being brought.
  std::set<MessageName> bringing_;
  net::Timer keep_alive_timer_;
  net::Timer retry_timer_;
  net::Lifeline<SdkStreams> lifeline_{*this};
};

}  // namespace flagstone::sidecar
