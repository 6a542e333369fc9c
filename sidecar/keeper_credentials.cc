// The keeper's part in credentials: which environment each opens, and finding out that there are
// others.
#include <spdlog/logger.h>

#include "sidecar/keeper.h"
#include "sidecar/routing.h"

namespace flagstone::sidecar {

void Keeper::read_credentials() {
  credentials_read_ms_ = tools_.loop.now_ms();
  for (Place& place : places_) {
    if (place.feed && place.feed->read_credentials()) routes_changed_ = true;
  }
}

// Others may have the same key, and have not seen yet that it was rotated: what came with the new
// one would be told that it is a stranger's.
void Keeper::feed_credentials_changed() {
  look_at_credentials([](bool) {});
  read_credentials();
  routes_changed_ = true;
  feed_changed();
}

void Keeper::look_at_credentials(const CredentialLooks::Found& found) {
  for (Place& place : places_) {
    if (place.feed) place.feed->look_at_credentials(found);
  }
}

// Whoever waits for it is answered from what is published now.
void Keeper::credentials_looked_at() {
  read_credentials();
  if (routes_changed_) publish();
}

void Keeper::save_credentials() {
  for (Place& place : places_) {
    if (place.feed) place.feed->save_credentials();
  }
}

cache::Routes Keeper::make_routes() {
  cache::Routes routes;
  std::vector<std::string> names;
  routes.filters.resize(places_.size());
  routes.credentials.resize(places_.size());
  std::size_t present = 0;
  for (std::uint32_t i = 0; i < places_.size(); ++i) {
    const Place& place = places_[i];
    names.push_back(place.name);
    if (!place.feed) continue;
    ++present;
    routes.filters[i] = place.feed->filter();
    add_credentials(i, routes);
    if (place.name == config::kDefaultEnvironment) routes.default_environment = i;
  }
  // After all of those: a key may have moved from one environment to another.
  for (std::uint32_t i = 0; i < places_.size(); ++i) {
    if (places_[i].feed) add_former_credentials(i, routes);
  }
  for (std::uint32_t i = 0; i < places_.size() && present == 1; ++i) {
    if (places_[i].feed) routes.default_environment = i;
  }
  for (const std::string& bound : tools_.listener_environments) {
    std::optional<std::uint32_t> index;
    for (std::uint32_t i = 0; i < places_.size() && !bound.empty(); ++i) {
      if (places_[i].name == bound) index = i;
    }
    routes.by_listener.push_back(index);
  }
  access_warnings_.remember_former(routes, names);
  return routes;
}

void Keeper::add_credentials(std::uint32_t index, cache::Routes& routes) const {
  const EnvironmentFeed& feed = *places_[index].feed;
  routes.awaits_credentials = routes.awaits_credentials || feed.awaits_credentials();
  if (places_[index].serves_another_dialect()) routes.awaited.push_back(index);
  std::size_t number = 0;
  for (const std::string& credential : feed.credentials()) {
    cache::Routes::Credentials& its = routes.credentials[index];
    if (number++ >= feed.source_credentials()) {
      its.accepted.push_back(credential);
    } else if (its.current.empty()) {
      its.current = credential;
    }
    const auto other = add_credential(routes, credential, index);
    if (!other) continue;
    const EnvironmentFeed& before = *places_[*other].feed;
    const bool told_apart = before.options().dialect == feed.options().dialect &&
                            routes.filters[*other] != routes.filters[index];
    if (told_apart) continue;
    tools_.log.warn("environments {} and {} have the same credential; it means {}",
                    places_[*other].name, places_[index].name, places_[*other].name);
  }
}

void Keeper::add_former_credentials(std::uint32_t index, cache::Routes& routes) const {
  const EnvironmentFeed& feed = *places_[index].feed;
  for (const std::string& former : feed.former_credentials()) {
    routes.credentials[index].former = former;
    add_former_credential(routes, former, index);
  }
  for (const FormerCredentials::Hashed& former : feed.hashed_credentials()) {
    routes.former.push_back({.salt = former.salt, .hash = former.hash, .environment = index});
  }
}

void Keeper::take_access_note(const AccessNote& note) {
  const bool is_known = note.environment < places_.size();
  access_warnings_.take(note, is_known ? std::string_view(places_[note.environment].name) : "",
                        tools_.loop.now_ms());
}

}  // namespace flagstone::sidecar
