// The keeper: the one place that changes what is served. Takes in what the sources bring, publishes
// it to every serving thread, keeps the state and the usage counts.
//
// Owned by the daemon, on the keeper's loop, which also runs the upstream I/O and the admin port.
// Long work is sliced, so that the loop turns at least every kSliceMs.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cache/entry_home.h"
#include "cache/serving_state.h"
#include "config/default_paths.h"
#include "config/options.h"
#include "net/loop.h"
#include "net/timer.h"
#include "sidecar/access_warnings.h"
#include "sidecar/credential_looks.h"
#include "sidecar/environment_feed.h"
#include "sidecar/evaluation_reporter.h"
#include "sidecar/room_keeper.h"
#include "sidecar/serving_thread.h"
#include "sidecar/state_saver.h"
#include "sidecar/tls_files.h"
#include "sidecar/vendors.h"
#include "upstream/event_forwarder.h"

namespace flagstone::sidecar {

// Borrowed; outlives the keeper.
struct KeeperTools {
  net::Loop& loop;
  std::span<const Vendor> vendors;
  upstream::SourceEnvironment sources;
  cache::EntryHome& home;
  StateSaver& saver;
  spdlog::logger& log;
  // By listener index: its address, and the environment it is bound to, empty for none.
  std::vector<std::string> listener_names;
  std::vector<std::string> listener_environments;
  const TlsFacts& tls;
};

class Keeper final : public FeedHost {
 public:
  static constexpr std::int64_t kSliceMs = 20;
  static constexpr std::int64_t kHouseworkMs = 1000;
  static constexpr std::int64_t kCredentialsMs = 5000;
  static constexpr std::int64_t kUsageDrainMs = 100;
  // What serving threads count goes to the disk within a second: they are asked for it twice in it.
  static constexpr int kDrainsPerPing = 5;
  // Flags compiled in one drain for having been asked for: a few milliseconds.
  static constexpr std::size_t kPromotionsPerDrain = 1000;
  static constexpr std::int64_t kHealPauseMs = 10'000;
  static constexpr std::int64_t kUsageSaveMs = 60'000;
  // Beside the limit: the process itself, its libraries, the allocator.
  static constexpr std::size_t kUncountedBytes = std::size_t{4} * 1024 * 1024;
  // Freed memory that is worth the time of giving it back to the system.
  static constexpr std::size_t kTrimWorthBytes = 1024 * 1024;

  // An environment's place in the serving state; a name keeps its place as long as the process
  // lives.
  struct Place {
    std::string name;
    // Nullptr once the environment was taken out of the configuration.
    std::unique_ptr<EnvironmentFeed> feed;
    // Replaced by a reload, its sources stopped, still the one that is served until `feed` has
    // something from every required source.
    std::unique_ptr<EnvironmentFeed> predecessor;
    // The way of its events to the vendor; nullptr where the vendor counts none.
    std::unique_ptr<upstream::EventForwarder> events;
    // What serving threads tell of its evaluations; made when first wanted, and then it stays,
    // since they may still be telling.
    std::unique_ptr<ReportCollector> reports;
    cache::EnvironmentState published;
    // What threads had counted of SDKs' requests when that was last noted. They count on when the
    // place becomes another dialect's, which those requests say nothing of.
    std::uint64_t sdk_requests_noted = 0;

    // As of now; 0: there was none.
    std::int64_t last_contact_unix_ms() const;
    // What is served is the predecessor's, of another dialect than `feed` will have.
    bool serves_another_dialect() const;
  };

  explicit Keeper(KeeperTools tools);
  ~Keeper() override;
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // Before start(): whom to publish to.
  void add_thread(ServingThread& thread) {
    threads_.push_back(&thread);
    room_.add_thread(thread);
    thread.set_budget(tools_.home.budget);
    thread.set_bring([this](cache::TextPlace place, std::function<void()> done) {
      bring(place, std::move(done));
    });
    thread.set_look_at_credentials(
        [this](std::function<void(bool)> done) { credential_looks_.ask(std::move(done)); });
    thread.set_take_access_note([this](const AccessNote& note) { take_access_note(note); });
    thread.set_post_events([this](std::size_t environment, upstream::PostedEvents events,
                                  std::function<void(EventInlet::Result)> done) {
      post_events(environment, std::move(events), std::move(done));
    });
  }
  // After configure(): what the threads start from. Routes, and no snapshots yet.
  std::shared_ptr<const cache::ServingState> serving_state() const { return state_; }
  // Makes the environments be those. Again for a reload: those whose options are equal go on
  // untouched; one whose options changed serves what it had until the new one has something. The
  // error leaves everything as it was.
  std::expected<void, std::string> configure(const std::vector<config::Environment>& environments);
  // Begins housework. After the threads have started.
  void start();
  // Begins to send what waits for the vendor.
  void flush_events();
  // Sends what waits for the vendor, for so long at most, and saves what there is to save; `done`
  // runs when the disk has it.
  void stop(std::int64_t events_limit_ms, std::move_only_function<void()> done);

  // The memory limit was raised, or another environment gave memory back: what was refused may fit
  // now.
  void retry_refused();
  // An operator wants no waiting: for what was refused, here or by the other side.
  void try_now();
  // `flagstone accept`. The error says what there is to know.
  std::expected<std::size_t, std::string> accept(std::string_view environment);
  // What readiness waits for, a line each; empty: ready.
  std::vector<std::string> missing() const;

  const std::vector<Place>& places() const { return places_; }
  const std::vector<ServingThread*>& threads() const { return threads_; }
  // Whether apps have fetched the flags of that place, to evaluate them themselves; as of now.
  bool is_evaluated_in_apps(std::size_t index) const;
  const std::vector<std::string>& listener_names() const { return tools_.listener_names; }
  // Reads of texts that failed or gave damaged bytes.
  std::uint64_t unreadable_texts() const;
  const RoomKeeper& room() const { return room_; }
  const cache::MemoryBudget& budget() const { return tools_.home.budget; }
  const TlsFacts& tls() const { return tools_.tls; }
  StateFacts state() const { return tools_.saver.facts(); }

  void feed_wants_work() override;
  void feed_changed() override;
  void feed_credentials_changed() override;

 private:
  std::expected<std::unique_ptr<EnvironmentFeed>, std::string> make_feed(
      const config::Environment& options);
  Place& place_of(const std::string& name);
  void put_in(std::unique_ptr<EnvironmentFeed> feed);
  void take_out(Place& place);
  // keeper_events.cc
  void set_events(Place& place);
  void let_go_of_events(Place& place);
  void finish_events(const upstream::EventForwarder* gone);
  void post_events(std::size_t environment, upstream::PostedEvents events,
                   std::function<void(EventInlet::Result)> done);
  void set_active(const std::vector<std::unique_ptr<EnvironmentFeed>>& made);
  bool update(Place& place);
  void hand_over(Place& place);
  void work();
  void publish();
  // keeper_credentials.cc
  void read_credentials();
  void look_at_credentials(const CredentialLooks::Found& found);
  void credentials_looked_at();
  void save_credentials();
  cache::Routes make_routes();
  void add_credentials(std::uint32_t index, cache::Routes& routes) const;
  void add_former_credentials(std::uint32_t index, cache::Routes& routes) const;
  void take_access_note(const AccessNote& note);
  void make_room_for_usage();
  void housework();
  void drain_usage();
  std::uint64_t sdk_requests(std::size_t index) const;
  void set_reporters(std::size_t index);
  void drain_reports();
  void promote_asked();
  void bring(cache::TextPlace place, std::function<void()> done);
  void save_usage();
  void load_usage(Place& place);
  void report_memory();
  void heal_texts();
  void give_back_memory();
  void watch_anonymous_memory();

  KeeperTools tools_;
  RoomKeeper room_;
  std::vector<ServingThread*> threads_;
  std::vector<Place> places_;
  // Of environments that a reload took out: what they still have to send.
  struct Leaving {
    std::string name;
    std::unique_ptr<upstream::EventForwarder> events;
    // Its place's, until serving threads have handed over the last of them; nullptr: they have, or
    // there are none.
    ReportCollector* reports;
  };
  std::vector<Leaving> leaving_;
  bool stopping_ = false;
  int drains_ = 0;
  std::shared_ptr<const cache::ServingState> state_;
  // Snapshots that serving threads still hold evaluate with the dialect they were made with, so
  // replaced feeds give theirs here; a few bytes per reload.
  std::vector<std::unique_ptr<evaluation::Dialect>> old_dialects_;
  net::Timer work_timer_;
  net::Timer publish_timer_;
  net::Timer housework_timer_;
  net::Timer usage_timer_;
  net::Timer trim_timer_;
  CredentialLooks credential_looks_;
  AccessWarnings access_warnings_;
  std::int64_t usage_saved_ms_ = 0;
  std::uint64_t unreadable_seen_ = 0;
  std::int64_t healed_ms_ = -kHealPauseMs;
  std::int64_t credentials_read_ms_ = 0;
  // Since the last housework: how much there was at the top, old and new together.
  std::size_t most_used_bytes_ = 0;
  // Since then some update was worked on: what it took on its way was freed in pieces.
  bool worked_ = false;
  bool routes_changed_ = true;
  bool said_ready_ = false;
};

}  // namespace flagstone::sidecar
