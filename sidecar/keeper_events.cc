// The keeper's part in events on their way to a vendor.
#include <spdlog/logger.h>

#include <algorithm>
#include <utility>

#include "sidecar/keeper.h"

namespace flagstone::sidecar {
namespace {

// Of the memory limit: what events of one environment may hold that are nowhere else.
constexpr std::size_t kEventsShare = 8;
// What an environment left behind that a reload took out is sent for so long.
constexpr std::int64_t kLeavingMs = 10'000;

}  // namespace

// Made with the environment's first options; a reload gives it the next.
void Keeper::set_events(Place& place) {
  const config::Environment& options = place.feed->options();
  const Vendor* vendor = find_vendor(tools_.vendors, options.dialect);
  if (vendor == nullptr || !vendor->make_events) return let_go_of_events(place);
  if (place.reports) place.reports->set_options(options);
  if (place.events) return place.events->set_options(options);
  // It is back before it was gone: two must not go to one folder. What the first has to do there is
  // queued before what the second will.
  std::erase_if(leaving_, [&](const Leaving& gone) { return gone.name == options.name; });
  place.events = vendor->make_events(
      options, {.sources = tools_.sources,
                .disk = tools_.saver.events_of(options.name),
                .memory_bytes = tools_.home.budget.limit_bytes() / kEventsShare,
                .say = [&log = tools_.log](bool is_warning, std::string_view text) {
                  log.log(is_warning ? spdlog::level::warn : spdlog::level::info, text);
                }});
}

// Not at once: what was acknowledged or counted is sent, as far as it can be.
void Keeper::let_go_of_events(Place& place) {
  if (!place.events) return;
  const upstream::EventForwarder* const gone = place.events.get();
  leaving_.push_back(
      {.name = place.name, .events = std::move(place.events), .reports = place.reports.get()});
  if (!place.reports || threads_.empty()) return finish_events(gone);
  const auto index = static_cast<std::size_t>(&place - places_.data());
  auto left = std::make_shared<std::size_t>(threads_.size());
  for (ServingThread* thread : threads_) {
    thread->set_reporter(index, nullptr);
    thread->take_reporters([this, gone, left] {
      if (--*left == 0) finish_events(gone);
    });
  }
}

// Nothing more comes from serving threads. It may have come back meanwhile: then the next forwarder
// of that name gets what they counted.
void Keeper::finish_events(const upstream::EventForwarder* gone) {
  const auto find = [this, gone] {
    return std::ranges::find_if(
        leaving_, [&](const Leaving& leaving) { return leaving.events.get() == gone; });
  };
  const auto at = find();
  if (at == leaving_.end() || stopping_) return;
  if (at->reports != nullptr) (void)std::exchange(at->reports, nullptr)->flush(*at->events);
  at->events->finish(kLeavingMs, [this, find] {
    if (stopping_) return;
    const auto found = find();
    if (found == leaving_.end()) return;
    if (const std::uint64_t left = found->events->facts().batches_waiting; left > 0) {
      tools_.log.warn(
          "{}: the environment is gone and {} batches of its events were not sent; those in the "
          "state directory wait until there is one of that name again, others are lost",
          found->name, left);
    }
    leaving_.erase(found);
  });
}

void Keeper::post_events(std::size_t environment, upstream::PostedEvents events,
                         std::function<void(EventInlet::Result)> done) {
  if (environment >= places_.size() || !places_[environment].events) return done(std::nullopt);
  const Place& place = places_[environment];
  events.source = place.feed->source_of(events.credential);
  place.events->post(std::move(events), std::move(done));
}

void Keeper::flush_events() {
  drain_usage();
  for (Place& place : places_) {
    if (place.reports && place.events) (void)place.reports->flush(*place.events);
    if (place.events) place.events->flush();
  }
}

void Keeper::stop(std::int64_t events_limit_ms, std::move_only_function<void()> done) {
  stopping_ = true;
  drain_usage();
  for (Place& place : places_) {
    if (place.reports && place.events && !place.reports->flush(*place.events)) {
      tools_.log.warn("{}: the events of the last second are lost: too much waits for the disk",
                      place.name);
    }
  }
  save_usage();
  save_credentials();
  // Counts the environments whose events are on their way, and this function.
  auto left = std::make_shared<std::size_t>(1);
  auto saved = std::make_shared<std::move_only_function<void()>>(std::move(done));
  const auto one_less = [this, left, saved] {
    if (--*left == 0) tools_.saver.flush(std::move(*saved));
  };
  for (Place& place : places_) {
    if (!place.events) continue;
    ++*left;
    place.events->finish(events_limit_ms, one_less);
  }
  for (const Leaving& leaving : leaving_) {
    if (leaving.reports != nullptr) (void)leaving.reports->flush(*leaving.events);
    ++*left;
    leaving.events->finish(events_limit_ms, one_less);
  }
  one_less();
}

}  // namespace flagstone::sidecar
