#include "sidecar/keeper.h"

#include <spdlog/logger.h>

#include <algorithm>
#include <utility>

#include "sidecar/allocator.h"

namespace flagstone::sidecar {
namespace {

constexpr std::string_view kUsageBlob = "usage";
// A timer that starts itself again at zero would run in the same turn (libuv before 1.45).
constexpr std::int64_t kNextTurnMs = 1;
// After an update: what it took on its way goes back when its answers are out.
constexpr std::int64_t kTrimAfterMs = 50;

// Whether serving threads have to hear of it. The last contact alone changes only the age, which
// matters while it is stale and then stands still.
bool differs(const cache::EnvironmentState& a, const cache::EnvironmentState& b) {
  return a.snapshot != b.snapshot || a.origin != b.origin || a.stale != b.stale ||
         a.complete != b.complete || a.optional != b.optional || a.dialect != b.dialect ||
         (a.stale && a.last_contact_unix_ms != b.last_contact_unix_ms);
}

}  // namespace

Keeper::Keeper(KeeperTools tools)
    : tools_(std::move(tools)),
      room_(tools_.home),
      state_(std::make_shared<cache::ServingState>()),
      work_timer_(tools_.loop, [this] { work(); }),
      publish_timer_(tools_.loop, [this] { publish(); }),
      housework_timer_(tools_.loop, [this] { housework(); }),
      usage_timer_(tools_.loop, [this] { drain_usage(); }),
      trim_timer_(tools_.loop, [this] { give_back_memory(); }),
      credential_looks_(
          tools_.loop, [this](const auto& found) { look_at_credentials(found); },
          [this] { credentials_looked_at(); }),
      access_warnings_(tools_.log) {}

Keeper::~Keeper() = default;

std::expected<std::unique_ptr<EnvironmentFeed>, std::string> Keeper::make_feed(
    const config::Environment& options) {
  const Vendor* vendor = find_vendor(tools_.vendors, options.dialect);
  if (vendor == nullptr) {
    return std::unexpected("environment " + options.name + ": no dialect is called `" +
                           options.dialect + "`");
  }
  auto feed = std::make_unique<EnvironmentFeed>(options,
                                                FeedTools{.vendor = *vendor,
                                                          .sources = tools_.sources,
                                                          .home = tools_.home,
                                                          .saver = tools_.saver,
                                                          .log = tools_.log},
                                                *this);
  if (auto prepared = feed->prepare(); !prepared) {
    return std::unexpected("environment " + options.name + ": " + prepared.error());
  }
  return feed;
}

Keeper::Place& Keeper::place_of(const std::string& name) {
  auto found = std::find_if(places_.begin(), places_.end(),
                            [&](const Place& place) { return place.name == name; });
  if (found != places_.end()) return *found;
  places_.push_back({.name = name,
                     .feed = nullptr,
                     .predecessor = nullptr,
                     .events = nullptr,
                     .reports = nullptr,
                     .published = {},
                     .sdk_requests_noted = 0});
  places_.back().published.name = name;
  return places_.back();
}

std::expected<void, std::string> Keeper::configure(
    const std::vector<config::Environment>& environments) {
  // Two steps: first everything that can fail, then the change.
  std::vector<std::unique_ptr<EnvironmentFeed>> made;
  std::size_t new_names = 0;
  for (const config::Environment& options : environments) {
    auto place = std::find_if(places_.begin(), places_.end(),
                              [&](const Place& p) { return p.name == options.name; });
    if (place == places_.end()) ++new_names;
    if (place != places_.end() && place->feed && place->feed->options() == options) continue;
    auto feed = make_feed(options);
    if (!feed) return std::unexpected(feed.error());
    made.push_back(std::move(*feed));
  }
  if (places_.size() + new_names > kEnvironmentsMax) {
    return std::unexpected("more than " + std::to_string(kEnvironmentsMax) +
                           " environments; restart to forget those that were taken out");
  }
  for (Place& place : places_) {
    bool kept = std::any_of(environments.begin(), environments.end(),
                            [&](const auto& options) { return options.name == place.name; });
    if (!kept && place.feed) take_out(place);
  }
  // Before what is new looks for room on the disk: its own folder is none to clear away.
  set_active(made);
  for (auto& feed : made) put_in(std::move(feed));
  feed_credentials_changed();
  // What the threads start from knows its environments: whoever asks in the first moment hears that
  // there is nothing yet, and not that his environment does not exist.
  if (state_->environments.empty()) publish();
  return {};
}

// What the state is kept of: of those, and of what goes on as it is.
void Keeper::set_active(const std::vector<std::unique_ptr<EnvironmentFeed>>& made) {
  std::vector<cache::SourceIdentity> identities;
  const auto add = [&](const EnvironmentFeed& feed) {
    for (auto& identity : feed.state_identities()) identities.push_back(std::move(identity));
  };
  for (const auto& feed : made) add(*feed);
  for (const Place& place : places_) {
    const bool is_replaced = std::ranges::any_of(
        made, [&](const auto& feed) { return feed->options().name == place.name; });
    if (place.feed && !is_replaced) add(*place.feed);
  }
  tools_.saver.set_active(std::move(identities));
}

std::int64_t Keeper::Place::last_contact_unix_ms() const {
  return predecessor || !feed ? published.last_contact_unix_ms
                              : feed->publishable().last_contact_unix_ms;
}

bool Keeper::Place::serves_another_dialect() const {
  return predecessor && feed && predecessor->options().dialect != feed->options().dialect;
}

void Keeper::take_out(Place& place) {
  let_go_of_events(place);
  for (auto* gone : {&place.feed, &place.predecessor}) {
    if (*gone) old_dialects_.push_back((*gone)->give_up_dialect());
    gone->reset();
  }
  std::uint64_t generation = place.published.generation;
  place.published = {};
  place.published.name = place.name;
  place.published.optional = true;
  place.published.generation = generation + 1;
}

void Keeper::put_in(std::unique_ptr<EnvironmentFeed> feed) {
  Place& place = place_of(feed->options().name);
  place.published.optional = feed->options().optional;
  EnvironmentFeed* before = place.feed.get();
  if (before == nullptr) {
    place.feed = std::move(feed);
    // Before the events: what they left on the disk may be much, and the state is waited for.
    place.feed->start(nullptr);
    set_events(place);
    load_usage(place);
    return;
  }
  if (!place.predecessor) {
    place.published.last_contact_unix_ms = before->publishable().last_contact_unix_ms;
  }
  before->retire();
  feed->start(before);
  if (place.predecessor) {
    // The one in between never served anything.
    old_dialects_.push_back(before->give_up_dialect());
  } else {
    place.predecessor = std::move(place.feed);
  }
  place.feed = std::move(feed);
  set_events(place);
}

// The successor of a reload has what it needs: it serves from now on.
void Keeper::hand_over(Place& place) {
  drain_usage();
  place.predecessor->hand_usage_to(*place.feed);
  old_dialects_.push_back(place.predecessor->give_up_dialect());
  place.predecessor.reset();
}

void Keeper::retry_refused() {
  for (Place& place : places_) {
    if (place.feed) place.feed->retry_refused();
  }
}

void Keeper::try_now() {
  for (Place& place : places_) {
    if (place.feed) place.feed->try_now();
    if (place.events) place.events->try_now();
  }
}

void Keeper::start() {
  publish();
  housework_timer_.start_repeating(kHouseworkMs, kHouseworkMs);
  usage_timer_.start_repeating(kUsageDrainMs, kUsageDrainMs);
}

std::expected<std::size_t, std::string> Keeper::accept(std::string_view environment) {
  for (Place& place : places_) {
    if (place.name != environment || !place.feed) continue;
    std::size_t taken = place.feed->accept_held();
    if (taken == 0) return std::unexpected("no document of `" + place.name + "` is held");
    return taken;
  }
  return std::unexpected("no environment is called `" + std::string(environment) + "`");
}

std::vector<std::string> Keeper::missing() const {
  std::vector<std::string> lines;
  for (const Place& place : places_) {
    if (!place.feed || place.feed->options().optional || place.feed->ready()) continue;
    // A reload whose sources have not answered: what was complete before is still served.
    if (place.predecessor && place.published.complete) continue;
    for (const auto& seat : place.feed->seats()) {
      if (seat->options().optional || seat->layer().has_document()) continue;
      std::string line = place.name + ": no document from " + seat->options().uri + " yet";
      if (!seat->last_error().empty()) line += " (" + seat->last_error() + ")";
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

void Keeper::feed_wants_work() {
  if (!work_timer_.running()) work_timer_.start_once(kNextTurnMs);
}

void Keeper::feed_changed() {
  if (!publish_timer_.running()) publish_timer_.start_once(0);
}

void Keeper::work() {
  auto started = tools_.sources.clock.now();
  auto stop = [&] {
    return tools_.sources.clock.now() - started >= std::chrono::milliseconds(kSliceMs);
  };
  bool more = false;
  for (Place& place : places_) {
    if (place.feed) more = place.feed->work(stop) || more;
  }
  most_used_bytes_ = std::max(most_used_bytes_, tools_.home.budget.used_bytes());
  worked_ = true;
  if (more) {
    feed_wants_work();
  } else {
    trim_timer_.start_once(kTrimAfterMs);
  }
}

void Keeper::publish() {
  bool changed = std::exchange(routes_changed_, false);
  auto next = std::make_shared<cache::ServingState>();
  next->routes = changed ? make_routes() : state_->routes;
  for (Place& place : places_) {
    changed = update(place) || changed;
    next->environments.push_back(place.published);
  }
  changed = changed || next->environments.size() != state_->environments.size();
  if (!changed) return;
  state_ = std::move(next);
  make_room_for_usage();
  for (ServingThread* thread : threads_) thread->publish(state_);
  if (!said_ready_ && !places_.empty() && missing().empty()) {
    said_ready_ = true;
    tools_.log.info("ready");
  }
}

// Brings `published` up to date; true when it is another.
bool Keeper::update(Place& place) {
  if (!place.feed || place.feed->about_to_be_read()) return false;
  cache::EnvironmentState now = place.feed->publishable();
  if (place.predecessor) {
    if (now.complete || !place.published.snapshot) {
      hand_over(place);
    } else {
      // Nobody fetches for it any more; how old it is goes on being said.
      now = place.published;
      now.stale = now.stale || unix_now_ms() - now.last_contact_unix_ms > cache::kStaleAfterMs;
    }
  }
  if (!differs(now, place.published)) {
    // For those who ask how it is; what is served is the same.
    place.published.last_failure_kind = now.last_failure_kind;
    return std::exchange(place.published.last_failure_unix_ms, now.last_failure_unix_ms) !=
           now.last_failure_unix_ms;
  }
  bool other_flags = now.snapshot != place.published.snapshot;
  std::uint64_t generation = place.published.generation + 1;
  std::int64_t changed_unix_ms = place.published.changed_unix_ms;
  place.published = std::move(now);
  place.published.generation = generation;
  place.published.changed_unix_ms = other_flags ? unix_now_ms() : changed_unix_ms;
  if (place.published.snapshot) {
    (place.predecessor ? place.predecessor : place.feed)->usage().adopt(*place.published.snapshot);
  }
  return true;
}

void Keeper::make_room_for_usage() {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    set_reporters(i);
    for (ServingThread* thread : threads_) {
      auto& counters = thread->usage()[i];
      if (!counters) counters = std::make_unique<cache::UsageCounters>();
      for (const auto* feed : {&places_[i].feed, &places_[i].predecessor}) {
        if (*feed) counters->grow((*feed)->layers().flag_id_limit());
      }
    }
  }
}

// The allocator keeps what was freed; after a document was replaced that is a second copy of it.
void Keeper::give_back_memory() {
  const std::size_t used = tools_.home.budget.used_bytes();
  if (std::exchange(worked_, false) || most_used_bytes_ > used + kTrimWorthBytes) {
    give_back_unused_memory();
  }
  most_used_bytes_ = used;
}

void Keeper::housework() {
  for (Place& place : places_) {
    if (place.feed) place.feed->renew_state();
  }
  if (tools_.loop.now_ms() - credentials_read_ms_ >= kCredentialsMs) read_credentials();
  report_memory();
  room_.housework();
  heal_texts();
  give_back_memory();
  // Time alone makes things stale.
  publish();
  if (tools_.loop.now_ms() - usage_saved_ms_ >= kUsageSaveMs) {
    save_usage();
    save_credentials();
  }
}

std::uint64_t Keeper::unreadable_texts() const {
  std::uint64_t sum = room_.read_failures();
  for (const ServingThread* thread : threads_) sum += thread->counters().unreadable_texts.read();
  return sum;
}

// A text on the disk was damaged: the sources are asked for all of theirs anew.
void Keeper::heal_texts() {
  const std::uint64_t unreadable = unreadable_texts();
  const std::int64_t now_ms = tools_.loop.now_ms();
  if (unreadable == unreadable_seen_ || now_ms - healed_ms_ < kHealPauseMs) return;
  tools_.log.warn(
      "state: {} reads of flags' texts from {} failed or gave damaged bytes; their "
      "sources are asked for them again",
      unreadable - unreadable_seen_, tools_.saver.facts().folder);
  unreadable_seen_ = unreadable;
  healed_ms_ = now_ms;
  for (Place& place : places_) {
    if (place.feed) place.feed->fetch_texts_again();
  }
}

void Keeper::report_memory() {
  std::size_t connections = 0;
  std::size_t usage = 0;
  std::size_t prepared = 0;
  std::size_t streams = 0;
  std::size_t context = 0;
  for (ServingThread* thread : threads_) {
    const net::ServerCounters& counts = thread->server_counters();
    connections += counts.bytes_buffered.read() + counts.session_bytes.read();
    const ServingCounters& served = thread->counters();
    prepared += served.prepared_bytes.read() + served.sdk_prepared_bytes.read();
    streams += served.stream_bytes.read() + served.sdk_stream_bytes.read() +
               thread->events().waiting_bytes();
    context += thread->counters().context_bytes.read();
    for (const auto& counters : thread->usage()) usage += counters ? counters->bytes() : 0;
  }
  for (const Place& place : places_) {
    if (place.feed) usage += place.feed->usage().bytes();
    if (place.events) streams += place.events->facts().memory_bytes;
    if (place.reports) usage += place.reports->facts().bytes;
  }
  tools_.home.budget.set(cache::MemoryPart::kConnections, connections);
  tools_.home.budget.set(cache::MemoryPart::kUsage, usage);
  tools_.home.budget.set(cache::MemoryPart::kPrepared, prepared);
  tools_.home.budget.set(cache::MemoryPart::kStreams, streams);
  tools_.home.budget.set(cache::MemoryPart::kContext, context);
  const StateFacts state = tools_.saver.facts();
  tools_.home.budget.set(cache::MemoryPart::kState, state.on_memory ? state.used_bytes : 0);
}

// What is not counted (the allocator's holes, what work takes on its way) must not grow beyond what
// code and libraries take anyway.
void Keeper::watch_anonymous_memory() {
  const std::size_t limit = tools_.home.budget.limit_bytes();
  if (limit == cache::MemoryBudget::kUnlimitedBytes) return;
  const std::size_t most = limit + kUncountedBytes;
  if (anonymous_bytes() <= most) return room_.set_over_limit(false);
  give_back_unused_memory();
  room_.set_over_limit(anonymous_bytes() > most);
}

void Keeper::drain_usage() {
  if (drains_++ % kDrainsPerPing == 0) {
    for (ServingThread* thread : threads_) thread->ping();
  }
  watch_anonymous_memory();
  promote_asked();
  drain_reports();
  std::int64_t now_ms = unix_now_ms();
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Place& place = places_[i];
    if (!place.feed) continue;
    // The numbers counted by are those of whoever's snapshot is served.
    cache::UsageTotals& totals = (place.predecessor ? place.predecessor : place.feed)->usage();
    for (ServingThread* thread : threads_) {
      if (auto& counters = thread->usage()[i]) totals.drain(*counters, now_ms);
    }
    const std::uint64_t sdk_requests_now = sdk_requests(i);
    if (std::exchange(place.sdk_requests_noted, sdk_requests_now) != sdk_requests_now) {
      totals.note_evaluated_in_apps();
    }
  }
}

std::uint64_t Keeper::sdk_requests(std::size_t index) const {
  std::uint64_t sum = 0;
  for (const ServingThread* thread : threads_) sum += thread->counters().sdk_requests[index].read();
  return sum;
}

bool Keeper::is_evaluated_in_apps(std::size_t index) const {
  const Place& place = places_[index];
  const cache::UsageTotals& totals = (place.predecessor ? place.predecessor : place.feed)->usage();
  // The first of this process is known a moment before it is in the totals.
  return totals.evaluated_in_apps() ||
         (totals.may_be_evaluated_in_apps() && sdk_requests(index) != place.sdk_requests_noted);
}

// Before the environment is published: whom serving threads tell of its evaluations from then on.
void Keeper::set_reporters(std::size_t index) {
  Place& place = places_[index];
  const Vendor* vendor =
      place.feed ? find_vendor(tools_.vendors, place.feed->options().dialect) : nullptr;
  const auto is_online = [](const config::Source& source) { return !source.is_file(); };
  // What is asked of another vendor's flags is nothing to tell this one.
  const bool wanted = vendor != nullptr && vendor->make_reports && place.events &&
                      place.feed->options().events.enabled && !place.serves_another_dialect() &&
                      std::ranges::any_of(place.feed->options().sources, is_online);
  if (wanted && !place.reports) {
    place.reports = vendor->make_reports(place.feed->options());
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      // Runs on the serving thread.
      place.reports->add_reporter([this] { (void)tools_.loop.post([this] { drain_reports(); }); });
    }
  }
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    threads_[i]->set_reporter(index, wanted ? &place.reports->reporter(i) : nullptr);
  }
}

void Keeper::drain_reports() {
  for (Place& place : places_) {
    if (place.reports && place.events) place.reports->drain(*place.events, tools_.loop.now_ms());
  }
}

// Flags that were asked for while they were encoded are compiled for the next time.
void Keeper::promote_asked() {
  std::size_t promoted = 0;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const cache::Snapshot* snapshot = places_[i].published.snapshot.get();
    for (ServingThread* thread : threads_) {
      auto& counters = thread->usage()[i];
      if (!counters) continue;
      const auto promote_all = [&](cache::EncodedRing& ring, RoomKeeper::Wish wish) {
        ring.drain([&](std::uint64_t hash) {
          if (snapshot == nullptr || promoted++ >= kPromotionsPerDrain) return;
          room_.promote(*snapshot, hash, wish);
        });
      };
      promote_all(counters->encoded_asked, RoomKeeper::Wish::kAsked);
      promote_all(counters->encoded_in_bulk, RoomKeeper::Wish::kInBulk);
    }
  }
  room_.send_round();
}

// A serving thread waits for a text that is not in memory.
void Keeper::bring(cache::TextPlace place, std::function<void()> done) {
  cache::TextFiles& files = tools_.home.files;
  // The text may have moved, and its file be about to go, since the thread saw it there.
  if (!files.is_held(place.file())) return done();
  files.hold(place.file());
  tools_.saver.bring(files.at(place.file()), place.offset(), place.bytes(),
                     [&files, place, done = std::move(done)] {
                       files.let_go(place.file());
                       done();
                     });
}

void Keeper::save_usage() {
  usage_saved_ms_ = tools_.loop.now_ms();
  for (Place& place : places_) {
    if (!place.feed) continue;
    tools_.saver.save_blob(place.name, std::string(kUsageBlob),
                           (place.predecessor ? place.predecessor : place.feed)
                               ->usage()
                               .serialise(place.published.snapshot.get()));
  }
}

void Keeper::load_usage(Place& place) {
  std::string name = place.name;
  tools_.saver.load_blob(name, std::string(kUsageBlob), [this, name](auto bytes) {
    if (!bytes) return;
    Place& found = place_of(name);
    if (!found.feed) return;
    if (!found.feed->usage().restore(*bytes)) {
      tools_.log.warn("{}: the kept usage counts are of another version; counting starts anew",
                      name);
    } else if (found.published.snapshot) {
      found.feed->usage().adopt(*found.published.snapshot);
    }
  });
}

}  // namespace flagstone::sidecar
