// The keeper's part in credentials: which environment each opens, and finding out that there are
// others.
#include <spdlog/logger.h>

#include "sidecar/keeper.h"

namespace flagstone::sidecar {

void Keeper::read_credentials() {
  credentials_read_ms_ = tools_.loop.now_ms();
  for (Place& place : places_) {
    if (place.feed && place.feed->read_credentials()) routes_changed_ = true;
  }
}

void Keeper::feed_credentials_changed() {
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
  std::size_t present = 0;
  for (std::uint32_t i = 0; i < places_.size(); ++i) {
    const Place& place = places_[i];
    if (!place.feed) continue;
    ++present;
    add_credentials(i, routes);
    if (place.name == config::kDefaultEnvironment) routes.default_environment = i;
  }
  // After all of those: a key may have moved from one environment to another.
  for (std::uint32_t i = 0; i < places_.size(); ++i) {
    if (!places_[i].feed) continue;
    for (const std::string& former : places_[i].feed->former_credentials()) {
      routes.by_credential.emplace(former, i);
    }
    for (const FormerCredentials::Hashed& former : places_[i].feed->hashed_credentials()) {
      routes.former.push_back({.salt = former.salt, .hash = former.hash, .environment = i});
    }
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
  return routes;
}

void Keeper::add_credentials(std::uint32_t index, cache::Routes& routes) const {
  const Place& place = places_[index];
  routes.awaits_credentials = routes.awaits_credentials || place.feed->awaits_credentials();
  for (const std::string& credential : place.feed->credentials()) {
    auto [at, added] = routes.by_credential.emplace(credential, index);
    if (!added && at->second != index) {
      tools_.log.warn("environments {} and {} have the same credential; it means {}",
                      places_[at->second].name, place.name, places_[at->second].name);
    }
  }
}

}  // namespace flagstone::sidecar
