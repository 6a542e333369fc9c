// Which events go where: the destinations of an environment's sources, and whose events they are
// that come with a credential.
//
// A member of the forwarder, on the keeper's loop. Nothing fails: a credential that nobody has is
// taken for the first source's.
//
// Whoever let events in says which source's credential opened the environment, if it knows: it may
// have seen a key before we do, and have been told by an earlier process of one. Else it is those
// seen here, of which those that sources had before are known for as long as the process lives,
// since what was let in has to go somewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/options.h"
#include "upstream/launchdarkly_event_destination.h"
#include "upstream/source_environment.h"

namespace flagstone::upstream::launchdarkly {

class EventRoutes {
 public:
  // Of all sources together; the oldest are forgotten.
  static constexpr std::size_t kFormerMax = 8;

  // `on_change`: a key or a header is another, so that sending may work again. `environment`
  // outlives this.
  EventRoutes(const SourceEnvironment& environment, std::function<void()> on_change)
      : environment_(environment), on_change_(std::move(on_change)) {}
  EventRoutes(const EventRoutes&) = delete;
  EventRoutes& operator=(const EventRoutes&) = delete;

  // In place of those before.
  void set_sources(const std::vector<config::Source>& sources);

  // The id of the source whose events they are: that at `place`, else the one that has or had the
  // credential, else the first.
  std::uint64_t source_of(std::optional<std::size_t> place, std::string_view credential) const;
  // Where the source is gone, or is another by now, the only one there is; of several none is
  // guessed.
  EventDestination* find(std::uint64_t source) const;

  void forgive_all();
  void send_now();
  // Why sending fails, where it does: of the first of those.
  std::string problem() const;
  // Those that wait.
  std::set<std::uint64_t> waiting(std::int64_t now_ms) const;
  // The earliest end of waiting where each destination waits.
  std::optional<std::int64_t> all_wait_until(std::int64_t now_ms) const;

 private:
  void credential_changed(std::uint64_t source);

  const SourceEnvironment& environment_;
  std::function<void()> on_change_;
  // Of the sources that take events.
  std::vector<std::unique_ptr<EventDestination>> destinations_;
  // By the place of each source; nullopt: it takes none.
  std::vector<std::optional<std::uint64_t>> by_place_;
  std::vector<std::pair<std::string, std::uint64_t>> former_;
};

}  // namespace flagstone::upstream::launchdarkly
