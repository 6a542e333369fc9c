#include "upstream/launchdarkly_event_routes.h"

#include <algorithm>

#include "upstream/launchdarkly_event_sender.h"

namespace flagstone::upstream::launchdarkly {

void EventRoutes::set_sources(const std::vector<config::Source>& sources) {
  destinations_.clear();
  by_place_.clear();
  for (const config::Source& source : sources) {
    std::optional<std::uint64_t>& at_place = by_place_.emplace_back();
    if (!takes_events(source)) continue;
    const std::uint64_t id = EventDestination::id_of(source);
    at_place = id;
    destinations_.push_back(std::make_unique<EventDestination>(
        source, environment_,
        EventDestination::Calls{.on_credential = [this, id] { credential_changed(id); },
                                .on_header = on_change_}));
  }
}

void EventRoutes::credential_changed(std::uint64_t source) {
  former_.emplace_back(find(source)->replace_credential_seen(), source);
  if (former_.size() > kFormerMax) former_.erase(former_.begin());
  on_change_();
}

std::uint64_t EventRoutes::source_of(std::optional<std::size_t> place,
                                     std::string_view credential) const {
  if (place && *place < by_place_.size() && by_place_[*place]) return *by_place_[*place];
  for (const auto& destination : destinations_) {
    if (destination->has_credential(credential)) return destination->id();
  }
  for (const auto& [former, source] : former_) {
    if (former == credential) return source;
  }
  return destinations_.empty() ? 0 : destinations_.front()->id();
}

EventDestination* EventRoutes::find(std::uint64_t source) const {
  const auto found =
      std::ranges::find_if(destinations_, [&](const auto& d) { return d->id() == source; });
  if (found != destinations_.end()) return found->get();
  return destinations_.size() == 1 ? destinations_.front().get() : nullptr;
}

void EventRoutes::forgive_all() {
  for (const auto& destination : destinations_) destination->forgive();
}

void EventRoutes::send_now() {
  for (const auto& destination : destinations_) destination->send_now();
}

std::string EventRoutes::problem() const {
  for (const auto& destination : destinations_) {
    if (!destination->failing().empty()) return destination->failing();
  }
  return {};
}

std::set<std::uint64_t> EventRoutes::waiting(std::int64_t now_ms) const {
  std::set<std::uint64_t> ids;
  for (const auto& destination : destinations_) {
    if (!destination->may_send(now_ms)) ids.insert(destination->id());
  }
  return ids;
}

std::optional<std::int64_t> EventRoutes::all_wait_until(std::int64_t now_ms) const {
  std::optional<std::int64_t> earliest;
  for (const auto& destination : destinations_) {
    if (destination->may_send(now_ms)) return std::nullopt;
    const std::int64_t until = destination->wait_until_ms();
    earliest = std::min(earliest.value_or(until), until);
  }
  return earliest;
}

}  // namespace flagstone::upstream::launchdarkly
