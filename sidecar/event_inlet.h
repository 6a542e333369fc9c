// From a serving thread to the keeper with events that an app posted, and back with what became of
// them.
//
// One per serving thread, on its loop. Bounded in number and bytes: beyond, nothing is handed on,
// and the app is told to try again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "net/counter.h"
#include "net/loop.h"
#include "upstream/event_forwarder.h"

namespace flagstone::sidecar {

class EventInlet {
 public:
  // Bodies on their way, of this thread. Where there is none, one goes however large it is.
  static constexpr std::size_t kWaitingBytesMax = std::size_t{4} * 1024 * 1024;
  static constexpr std::size_t kWaitingMax = 256;

  // Nullopt: the environment's vendor counts no events.
  using Result = std::optional<upstream::PostResult>;
  using Done = std::move_only_function<void(Result)>;
  // On the keeper's loop; `environment` is its place in the serving state.
  using Post = std::function<void(std::size_t environment, upstream::PostedEvents events,
                                  std::function<void(Result)> done)>;

  explicit EventInlet(net::Loop& loop);
  ~EventInlet();
  EventInlet(const EventInlet&) = delete;
  EventInlet& operator=(const EventInlet&) = delete;

  // Before the thread starts.
  void set_post(net::Loop& keeper_loop, Post post);
  // `done` runs in a later turn of this loop. False: there is too much on its way already.
  [[nodiscard]] bool post(std::size_t environment, upstream::PostedEvents events, Done done);

  // For the keeper to read.
  std::size_t waiting_bytes() const { return waiting_bytes_.read(); }
  std::uint64_t refused() const { return refused_.read(); }

 private:
  class Answer;
  struct Gate;

  net::Loop& loop_;
  net::Loop* keeper_loop_ = nullptr;
  Post post_;
  std::size_t waiting_ = 0;
  net::Counter waiting_bytes_;
  net::Counter refused_;
  std::shared_ptr<Gate> gate_;
};

}  // namespace flagstone::sidecar
