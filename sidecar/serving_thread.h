// A serving thread: its own loop, server, apis and the serving state it answers from.
//
// Made, published to, drained and destroyed by the keeper's thread; everything inside runs on its
// own thread from start() on. The hot path takes no lock: the state is swapped between two turns of
// the loop, and the replaced one travels back to the keeper, which alone destroys it.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <thread>

#include "cache/serving_state.h"
#include "net/cors.h"
#include "net/host_guard.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/router.h"
#include "net/server.h"
#include "sidecar/api/api.h"
#include "sidecar/serving_desk.h"
#include "sidecar/vendors.h"

namespace flagstone::sidecar {

struct ServingOptions {
  net::ServerOptions server;
  net::HostGuardOptions guard;
  std::vector<std::string> cors_origins;
  ServingSettings settings;
};

class ServingThread {
 public:
  ServingThread(net::Loop& keeper_loop, const ServingOptions& options,
                std::span<const Vendor> vendors);
  // Ends the loop, cutting what is open, and joins.
  ~ServingThread();
  ServingThread(const ServingThread&) = delete;
  ServingThread& operator=(const ServingThread&) = delete;

  // Before start(): what is left of the memory.
  void set_budget(const cache::MemoryBudget& budget) { desk_.budget = &budget; }
  // The apis give up what they keep for convenience alone.
  void give_up_prepared();
  void set_short_of_memory(bool is_short);
  // Before start(). On the keeper's loop: has the disk bring a place's text, then runs `done`.
  using Bring = std::function<void(cache::TextPlace place, std::function<void()> done)>;
  void set_bring(Bring bring);
  // Likewise: looks whether there are other credentials by now, and publishes them before `done`
  // runs.
  using LookAtCredentials = std::function<void(std::function<void(bool found_all)> done)>;
  void set_look_at_credentials(LookAtCredentials look);
  // Likewise: what people should hear of how requests open environments.
  using TakeAccessNote = std::function<void(const AccessNote& note)>;
  void set_take_access_note(TakeAccessNote take);
  // Likewise, for events that apps post.
  void set_post_events(EventInlet::Post post) {
    desk_.events.set_post(keeper_loop_, std::move(post));
  }

  // Before start(). `listener_index` is what routes know the listener by.
  std::expected<void, net::Error> listen(const net::BoundSocket& socket, unsigned listener_index);
  void start(std::shared_ptr<const cache::ServingState> state);
  // Before start() or at any time after it: see net::Server::set_tls().
  void set_tls(unsigned listener_index, std::shared_ptr<const net::TlsCredentials> credentials);

  // REQUIRES: usage counters of every environment in it are large enough.
  void publish(std::shared_ptr<const cache::ServingState> state);

  // Not ready from now on; requests are answered as before.
  void leave();
  // Stops accepting and answers what is in flight; then `done` runs on the keeper's loop.
  void drain(std::move_only_function<void()> done);

  // `done` runs on the keeper's loop once this one has turned: nothing that it looked at before is
  // looked at any more.
  void turn(std::move_only_function<void()> done);

  // Asks the loop to show that it turns; silent_ms() is how long ago it last did. Keeper's thread.
  void ping();
  std::int64_t silent_ms() const { return keeper_loop_.now_ms() - last_pong_ms_; }

  // Shared by design: see cache/usage.h and serving_counters.h for who may do what.
  UsageByEnvironment& usage() { return desk_.usage; }
  // From the next publication on, so that nobody is told of what was served before; nullptr: nobody
  // any more. The reporter outlives the thread.
  void set_reporter(std::size_t environment, EvaluationReporter* reporter) {
    reporters_[environment] = reporter;
  }
  // They are set now, and not with the next publication. `done` runs on the keeper's loop once it
  // can have all that was counted for those that are nobody's any more.
  void take_reporters(std::move_only_function<void()> done);
  const ServingCounters& counters() const { return desk_.counters; }
  // To be read.
  const EventInlet& events() const { return desk_.events; }
  const net::ServerCounters& server_counters() const { return server_.counters(); }

 private:
  void take(std::shared_ptr<const cache::ServingState> state);
  void take(const ServingDesk::Reporters& reporters);

  net::Loop& keeper_loop_;
  net::Loop loop_;
  ServingDesk desk_;
  net::Router router_;
  std::vector<std::unique_ptr<ServingApi>> apis_;
  net::Cors cors_;
  net::HostGuard guard_;
  net::Server server_;
  std::int64_t last_pong_ms_;
  bool pinged_ = false;
  ServingDesk::Reporters reporters_{};  // The keeper's.
  std::thread thread_;
};

}  // namespace flagstone::sidecar
