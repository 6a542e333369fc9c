// Names to addresses, without ever waiting for it.
//
// One per loop, the loop's thread only; queries are owned by who asks and cancel by destruction.
// Every query answers within `query_limit_ms`, with fresh addresses, with the last good ones of
// that name (marked), or with an error.
//
// Lookups run on threads of their own and not on libuv's pool: getaddrinfo cannot be cancelled,
// libuv joins its pool at exit, and four hung lookups would block every other user of that pool. A
// thread here is detached and holds only what it shares with nobody else, so a hung one is left
// behind: it blocks neither other names (until `lookups_in_flight_max` of them hang) nor the end of
// the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/error.h"

namespace flagstone::net {

class Loop;

struct Resolution {
  std::vector<std::string>
      addresses;       // numeric, IPv6 without brackets, in the system's order; not empty
  bool stale = false;  // the last good ones, since the new lookup failed or hung
  std::string error;   // why, when stale
};

// Runs on a thread of its own; blocks as long as it likes.
using Lookup =
    std::function<std::expected<std::vector<std::string>, Error>(const std::string& host)>;

// The system's resolver: getaddrinfo, both families.
std::expected<std::vector<std::string>, Error> look_up_by_system(const std::string& host);

struct ResolverOptions {
  std::int64_t query_limit_ms = 5000;
  std::size_t lookups_in_flight_max = 8;  // threads, hung ones included
  std::size_t waiting_queries_max = 1024;
  std::size_t remembered_hosts_max = 256;  // the one asked longest ago is forgotten
  Lookup lookup = look_up_by_system;       // tests replace it
};

class Resolver {
 public:
  using Callback = std::move_only_function<void(std::expected<Resolution, Error>)>;

  // A question on its way. Destroying it is forgetting it: the callback will not run.
  class Query {
   public:
    virtual ~Query() = default;
  };

  Resolver(Loop& loop, ResolverOptions options = {});
  ~Resolver();  // before the loop; outstanding queries fall silent
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // The callback runs in a later turn, never inside resolve(); it may destroy the query. Equal
  // names asked at the same time share one lookup. Numeric hosts answer without any.
  [[nodiscard]] std::unique_ptr<Query> resolve(const std::string& host, Callback callback);

  std::size_t lookups_in_flight() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flagstone::net
