// Everything a serving thread needs to answer, for all environments, as one immutable value.
//
// Built by the keeper, published to every serving thread as one swapped
// shared_ptr<const ServingState>; posted back to the keeper when replaced, which alone destroys it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/snapshot.h"

namespace flagstone::cache {

// Where what is served came from.
enum class Origin : std::uint8_t { kLive, kState, kBootstrap };
// "live", "state", "bootstrap".
std::string_view origin_name(Origin origin);

struct EnvironmentState {
  std::string name;
  // Dialect::name() of its flags, before there are any too. Empty: not known.
  std::string_view dialect = {};
  // nullptr: there is nothing to serve yet (OFREP: PROVIDER_NOT_READY).
  std::shared_ptr<const Snapshot> snapshot;
  // Every required source has brought something. Until then a key that is not found may yet come.
  bool complete = false;
  // Readiness does not wait for it: configured so, or not configured any more.
  bool optional = false;
  Origin origin = Origin::kLive;
  bool stale = false;
  // Wall time of the last successful contact with upstream, for the age; 0 when there was none.
  std::int64_t last_contact_unix_ms = 0;
  // What last failed of its sources, as the metrics name it, and the wall time of it; it stays when
  // all is well again. Empty and 0: nothing did.
  std::string_view last_failure_kind = {};
  std::int64_t last_failure_unix_ms = 0;
  // Wall time at which its flags last became others.
  std::int64_t changed_unix_ms = 0;
  // Grows with every change of this environment's snapshot, origin or staleness.
  std::uint64_t generation = 0;
};

// Which environment a request is for: indexes into ServingState::environments.
struct Routes {
  struct CredentialHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  // What a credential opens.
  struct Opened {
    // Where nothing more is said: the one without a payload filter, else the first.
    std::uint32_t environment = 0;
    // Nobody's credential any more, in its grace.
    bool is_former = false;
    // All environments of that credential, in their order, if they are several.
    std::vector<std::uint32_t> all = {};
  };
  // The credentials of an environment, for people.
  struct Credentials {
    std::string current;  // Of its first source that has one.
    std::string former;   // One in its grace, empty: none that is known by more than its hash.
    std::vector<std::string> accepted;
  };

  // Environments, by place, that a reload gave another dialect and that have no data of it yet: who
  // they are for, what is still served does not say.
  std::vector<std::uint32_t> awaited;

  // Of requests that name none: the environment called `default`, else the only one.
  std::optional<std::uint32_t> default_environment;
  // Of listeners bound to one environment, by the listener's index; nullopt: not bound.
  std::vector<std::optional<std::uint32_t>> by_listener;
  // By `Authorization` or `X-API-Key`; looked up by string_view, without allocation.
  std::unordered_map<std::string, Opened, CredentialHash, std::equal_to<>> by_credential;
  // The payload filter of each environment, by its place: what tells those apart that have one
  // credential. Empty, and what is beyond the end: none.
  std::vector<std::string> filters;
  // By the environment's place.
  std::vector<Credentials> credentials;
  // Some credential that a vendor's own apis would take is configured and could not be read yet:
  // one that is unknown may be that one.
  bool awaits_credentials = false;
  // Credentials that count for a while longer and are known by their salted hash alone
  // (cache/state_files.h), for those whose own is in no other list.
  struct Former {
    std::string salt;
    std::string hash;
    std::uint32_t environment = 0;
  };
  std::vector<Former> former;
};

struct ServingState {
  std::vector<EnvironmentState> environments;
  Routes routes;
};

}  // namespace flagstone::cache
